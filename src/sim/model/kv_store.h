#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bellwether/base/result.h"
#include "bellwether/base/time.h"

namespace bellwether::sim {

// When something was written: by the model's clock, and as people read it.
struct Instant {
  TimePoint at{};
  WallTime wall{};
};

struct KvVersion {
  int number = 0;
  nlohmann::json data;
  Instant written;
  std::optional<Instant> deleted;
};

// A KV v2 store that remembers when everything was written, so that a standby that lags can be read "as of" a moment
// ago. Keeps the last kMaxVersions of each key, as Vault does by default. Pure.
class KvStore {
 public:
  static constexpr std::size_t kMaxVersions = 10;
  static constexpr std::size_t kMaxKeys = 100'000;

  // The new version's number. With `cas`, only if the newest version has that number (0: the key does not exist);
  // else kInvalid with Vault's words. kLimit: too many keys.
  [[nodiscard]] Result<int> put(const std::string& path, nlohmann::json data, std::optional<int> cas, Instant now);
  // Marks the newest version as deleted.
  void remove(const std::string& path, Instant now);
  // Forgets the key and all its versions, at once for every reader.
  void erase(const std::string& path);

  // That version (default: the newest) as it was at `as_of`; null if there was none. A deletion after `as_of` must be
  // looked at by the caller through is_deleted().
  [[nodiscard]] const KvVersion* find(const std::string& path, std::optional<int> version, TimePoint as_of) const;
  [[nodiscard]] static bool is_deleted(const KvVersion& version, TimePoint as_of);
  // All kept versions at `as_of`, oldest first.
  [[nodiscard]] std::vector<const KvVersion*> versions(const std::string& path, TimePoint as_of) const;
  // Names directly below `folder` ("" or "a/b/"), folders with a slash, sorted.
  [[nodiscard]] std::vector<std::string> list(const std::string& folder, TimePoint as_of) const;

  // How many puts were executed, in all or on one key since it was made: what shows a write that ran twice.
  [[nodiscard]] std::uint64_t puts() const { return puts_; }
  [[nodiscard]] std::uint64_t puts(const std::string& path) const;
  // How many were executed by then; exact for the last kMaxPutTimes of them.
  static constexpr std::size_t kMaxPutTimes = 1000;
  [[nodiscard]] std::uint64_t puts_until(TimePoint as_of) const;

 private:
  std::map<std::string, std::deque<KvVersion>> keys_;
  std::deque<TimePoint> put_times_;  // the newest last
  std::uint64_t puts_ = 0;
};

}  // namespace bellwether::sim
