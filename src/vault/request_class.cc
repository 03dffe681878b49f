#include "bellwether/vault/request_class.h"

#include <algorithm>

#include "bellwether/base/text.h"
#include "path.h"

namespace bellwether::vault {
namespace {

constexpr std::string_view kRoot = "/v1/";

// `path` stands at the start of a segment.
bool is_stream_here(DecodedPath path) {
  if (!path.take("sys/")) return false;
  if (path.take("monitor")) return path.at_end() || path.next() == '/';
  return path.take("events/subscribe") && (path.at_end() || path.next() == '/');
}

bool is_stream(std::string_view raw) {
  const bool is_plainly_none = raw.find('%') == std::string_view::npos && raw.find("sys/") == std::string_view::npos;
  if (is_plainly_none) return false;
  DecodedPath path(raw);
  if (!path.take(kRoot)) return false;
  if (is_stream_here(path)) return true;
  while (!path.at_end()) {
    if (path.next() == '/' && is_stream_here(path)) return true;
  }
  return false;
}

// The endpoints by which a credential backend gives a token. Plugins have names of their own for them; those that we
// do not know are met by clients without a token.
bool is_login_word(std::string_view segment) {
  constexpr std::string_view kLogin = "login";
  return equals_ignoring_case(segment.substr(0, kLogin.size()), kLogin) || equals_ignoring_case(segment, "callback") ||
         equals_ignoring_case(segment, "oidc") || equals_ignoring_case(segment, "saml");
}

}  // namespace

RequestClass classify(std::string_view method, std::string_view path) {
  if (path.starts_with("/v1/sys/")) {
    const std::string_view name = path.substr(8);
    if (name == "health" || name == "leader" || name == "seal-status") return RequestClass::kNodeLocal;
    // `vault operator init -status` asks with GET, which any node answers, sealed or not (V16:http/sys_init.go).
    const bool only_asks = name == "init" && (method == "GET" || method == "HEAD");
    if (only_asks) return RequestClass::kNodeLocal;
    if (name == "init" || name == "unseal") return RequestClass::kBootstrap;
  }
  return is_stream(path) ? RequestClass::kStream : RequestClass::kData;
}

std::string_view to_text(RequestClass request_class) {
  switch (request_class) {
    case RequestClass::kData:
      return "data";
    case RequestClass::kNodeLocal:
      return "node_local";
    case RequestClass::kBootstrap:
      return "bootstrap";
    case RequestClass::kStream:
      return "stream";
  }
  return "unknown";
}

cluster::Role role_to_bootstrap(std::string_view path) {
  return path == "/v1/sys/init" ? cluster::Role::kUninitialized : cluster::Role::kSealed;
}

bool is_always_redirected(std::string_view path) {
  return path == "/v1/sys/storage/raft/snapshot" || path == "/v1/sys/storage/raft/snapshot-force" ||
         path == "/v1/sys/events/subscribe" || path.starts_with("/v1/sys/events/subscribe/");
}

bool may_be_login(std::string_view path, bool carries_token) {
  if (!carries_token) return true;
  const auto decoded = percent_decoded(path);
  if (!decoded) return true;
  bool is_below_auth = false;
  std::string_view rest = *decoded;
  while (!rest.empty()) {
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    const std::string_view segment = rest.substr(0, slash);
    if (is_below_auth && is_login_word(segment)) return true;
    if (equals_ignoring_case(segment, "auth")) is_below_auth = true;
    rest.remove_prefix(std::min(slash + 1, rest.size()));
  }
  return false;
}

bool carries_token(const http::RequestHead& head) {
  constexpr std::string_view kBearer = "Bearer ";
  if (const auto token = head.header("X-Vault-Token"); token && !token->empty()) return true;
  const auto credentials = head.header("Authorization");
  return credentials && credentials->size() > kBearer.size() &&
         equals_ignoring_case(credentials->substr(0, kBearer.size()), kBearer);
}

}  // namespace bellwether::vault
