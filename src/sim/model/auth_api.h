#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "answers.h"
#include "kv_store.h"
#include "request.h"

namespace bellwether::sim {

// Two auth methods in outline. auth/radius: a login calls a RADIUS server before it writes anything, so that a standby
// that carries out requests has called it before it redirects (src/vault/FACTS.md 3). auth/token: tokens that are made
// by name and looked up by POST, which standbys answer themselves, as of a moment ago. Pure.
class AuthApi {
 public:
  static constexpr std::size_t kMaxUsers = 100'000;

  // The user, if the request is a RADIUS login.
  [[nodiscard]] static std::optional<std::string> radius_user(const Request& request);
  // A request that only reads, though its method does not say so.
  [[nodiscard]] static bool is_lookup(const Request& request);

  // Counts a call to the RADIUS server.
  void call_radius(const std::string& user);
  [[nodiscard]] std::uint64_t radius_calls(const std::string& user) const;

  // POST auth/token/create {"id"} and auth/token/lookup {"token"}; empty for anything else.
  [[nodiscard]] std::optional<http::Response> answer(const Request& request, TimePoint as_of, Instant now, Prng& prng);
  [[nodiscard]] static http::Response login_answer(const std::string& user, Prng& prng);

 private:
  std::map<std::string, std::uint64_t> radius_calls_;
  KvStore tokens_;
};

}  // namespace bellwether::sim
