#include "bellwether/vault/effect.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "bellwether/base/percent.h"
#include "bellwether/base/text.h"
#include "system_path.h"

namespace bellwether::vault {
namespace {

using Names = std::string_view;

// What these keep is storage and caches of it. Others of sys/ change the node (plugins, seals, rekeying, audit
// devices), use up a credential (wrapping/unwrap) or end a login (mfa/validate). A lease is revoked at another system
// too, but the expiration manager itself repeats that until it has succeeded (B:vault/expiration.go).
constexpr std::array<Names, 10> kSystemStorage = {"leases",
                                                  "renew",
                                                  "revoke",
                                                  "policies",
                                                  "policy",
                                                  "capabilities",
                                                  "capabilities-self",
                                                  "tools",
                                                  "capabilities-accessor",
                                                  "internal/ui"};
// Beside these there are MFA, whose passcodes count once, and the OIDC provider, whose codes are kept in memory.
constexpr std::array<Names, 8> kIdentityStorage = {"entity", "entity-alias", "persona", "alias",
                                                   "group",  "group-alias",  "lookup",  "oidc/token"};

// `name` is a whole segment of `path`, or several, at its beginning.
bool starts_with_segments(Names path, Names name) {
  return path.starts_with(name) && (path.size() == name.size() || path[name.size()] == '/');
}

template <std::size_t kCount>
Effect effect_below(const std::array<Names, kCount>& names, Names path) {
  const bool is_storage =
      std::any_of(names.begin(), names.end(), [path](Names name) { return starts_with_segments(path, name); });
  return is_storage ? Effect::kStorage : Effect::kOutside;
}

// Nodes refuse or rewrite such paths; where they lead is not for us to guess.
bool is_canonical(Names path) {
  for (Names rest = path; !rest.empty();) {
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    const Names segment = rest.substr(0, slash);
    const bool is_last = slash == rest.size();
    if (segment.empty() || segment == "." || segment == "..") return false;
    rest.remove_prefix(is_last ? slash : slash + 1);
  }
  return !path.empty();
}

bool take(Names& path, Names prefix) {
  if (!path.starts_with(prefix)) return false;
  path.remove_prefix(prefix.size());
  return true;
}

// A login that comes along with another request (B:vault/request_handling.go, handleInlineAuth).
bool logs_in_inline(const http::RequestHead& sent) { return sent.header("X-Vault-Inline-Auth-Path").has_value(); }

struct Release {
  int major = 0;
  int minor = 0;
};
std::optional<Release> release_of(Names version) {
  Release release;
  const char* const end = version.data() + version.size();
  const auto [dot, major_error] = std::from_chars(version.data(), end, release.major);
  if (major_error != std::errc() || dot == end || *dot != '.') return std::nullopt;
  const auto [rest, minor_error] = std::from_chars(dot + 1, end, release.minor);
  const bool has_ended = rest == end || *rest == '.' || *rest == '-' || *rest == '+';
  if (minor_error != std::errc() || !has_ended || release.major < 0 || release.minor < 0) return std::nullopt;
  return release;
}

}  // namespace

Effect effect_in_system(Names path) { return effect_below(kSystemStorage, path); }
Effect effect_in_identity(Names path) { return effect_below(kIdentityStorage, path); }

Effect effect_of(Names path, const http::RequestHead& sent) {
  const auto decoded = percent_decoded(path);
  if (!decoded || !carries_token(sent) || logs_in_inline(sent)) return Effect::kOutside;
  Names rest = *decoded;
  if (!take(rest, "/v1/") || !is_canonical(rest)) return Effect::kOutside;
  if (take(rest, "sys/")) return effect_in_system(rest);
  if (take(rest, "identity/")) return effect_in_identity(rest);
  if (take(rest, "cubbyhole/") || take(rest, "auth/token/")) return Effect::kStorage;
  const bool is_built_in =
      starts_with_segments(rest, "auth") || rest == "sys" || rest == "identity" || rest == "cubbyhole";
  return is_built_in ? Effect::kOutside : Effect::kByMount;
}

bool carries_token(const http::RequestHead& head) {
  constexpr Names kBearer = "Bearer ";
  if (const auto token = head.header("X-Vault-Token"); token && !token->empty()) return true;
  const auto credentials = head.header("Authorization");
  return credentials && credentials->size() > kBearer.size() &&
         equals_ignoring_case(credentials->substr(0, kBearer.size()), kBearer);
}

bool is_sure_write(Names method, Names path, int status, Names body) {
  const bool may_write = method == "POST" || method == "PUT" || method == "PATCH";
  if (!may_write || status != 200 || path.find("/data/") == Names::npos) return false;
  return body.find("\"created_time\":\"") != Names::npos && body.find("\"version\":") != Names::npos;
}

StandbyConduct conduct_of(const cluster::HealthFacts& facts) {
  constexpr int kFirstThatActs = 5;  // OpenBao 2.5: standbys answer reads
  const auto release = release_of(facts.version);
  if (!release) return StandbyConduct::kUnknown;
  const bool is_vault = facts.states_enterprise || release->major == 1;
  if (is_vault) return release->major <= 2 ? StandbyConduct::kRefusesFirst : StandbyConduct::kUnknown;
  if (release->major != 2) return StandbyConduct::kUnknown;
  return release->minor < kFirstThatActs ? StandbyConduct::kRefusesFirst : StandbyConduct::kActsFirst;
}

}  // namespace bellwether::vault
