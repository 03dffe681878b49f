#include "kv_store.h"

#include <algorithm>
#include <utility>

namespace bellwether::sim {

Result<int> KvStore::put(const std::string& path, nlohmann::json data, std::optional<int> cas, Instant now) {
  const auto found = keys_.find(path);
  const int current = found == keys_.end() ? 0 : found->second.back().number;
  if (cas && *cas != current) {
    return fail(ErrorKind::kInvalid, "check-and-set parameter did not match the current version");
  }
  if (found == keys_.end() && keys_.size() >= kMaxKeys) return fail(ErrorKind::kLimit, "too many keys");
  auto& versions = keys_[path];
  versions.push_back({current + 1, std::move(data), now, std::nullopt});
  if (versions.size() > kMaxVersions) versions.pop_front();
  ++puts_;
  put_times_.push_back(now.at);
  if (put_times_.size() > kMaxPutTimes) put_times_.pop_front();
  return current + 1;
}

std::uint64_t KvStore::puts_until(TimePoint as_of) const {
  const auto later = std::count_if(put_times_.begin(), put_times_.end(), [as_of](TimePoint at) { return at > as_of; });
  return puts_ - static_cast<std::uint64_t>(later);
}

void KvStore::remove(const std::string& path, Instant now) {
  const auto found = keys_.find(path);
  if (found == keys_.end() || found->second.back().deleted) return;
  found->second.back().deleted = now;
}

void KvStore::erase(const std::string& path) { keys_.erase(path); }

const KvVersion* KvStore::find(const std::string& path, std::optional<int> version, TimePoint as_of) const {
  const auto found = keys_.find(path);
  if (found == keys_.end()) return nullptr;
  for (auto it = found->second.rbegin(); it != found->second.rend(); ++it) {
    if (it->written.at <= as_of && (!version || *version == it->number)) return &*it;
  }
  return nullptr;
}

bool KvStore::is_deleted(const KvVersion& version, TimePoint as_of) {
  return version.deleted && version.deleted->at <= as_of;
}

std::vector<const KvVersion*> KvStore::versions(const std::string& path, TimePoint as_of) const {
  std::vector<const KvVersion*> result;
  const auto found = keys_.find(path);
  if (found == keys_.end()) return result;
  for (const KvVersion& version : found->second) {
    if (version.written.at <= as_of) result.push_back(&version);
  }
  return result;
}

std::vector<std::string> KvStore::list(const std::string& folder, TimePoint as_of) const {
  std::vector<std::string> names;
  for (auto it = keys_.lower_bound(folder); it != keys_.end() && it->first.starts_with(folder); ++it) {
    if (it->second.front().written.at > as_of) continue;
    const std::size_t slash = it->first.find('/', folder.size());
    std::string name = it->first.substr(folder.size(), slash == std::string::npos ? slash : slash + 1 - folder.size());
    if (!name.empty() && (names.empty() || names.back() != name)) names.push_back(std::move(name));
  }
  return names;
}

std::uint64_t KvStore::puts(const std::string& path) const {
  const auto found = keys_.find(path);
  return found == keys_.end() ? 0 : static_cast<std::uint64_t>(found->second.back().number);
}

}  // namespace bellwether::sim
