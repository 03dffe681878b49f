#include "access.h"

#include <algorithm>
#include <utility>

#include "api.h"
#include "bellwether/base/base64.h"
#include "bellwether/base/ip_range.h"
#include "bellwether/base/text.h"

namespace bellwether::admin {
namespace {

constexpr int kMisdirected = 421;  // RFC 9110 section 15.5.20

// Without port, brackets and a final dot.
std::string_view name_of(std::string_view host) {
  if (host.starts_with('[')) return host.substr(1, std::min(host.find(']'), host.size()) - 1);
  host = host.substr(0, host.find(':'));
  if (host.ends_with('.')) host.remove_suffix(1);
  return host;
}

// In a time that does not tell how much of it is right.
bool is_same_secret(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) difference |= static_cast<unsigned char>(a[i] ^ b[i]);
  return difference == 0;
}

// "Bearer TOKEN", or "Basic ...", which browsers ask their users for: any name, the token as the password (RFC 7617).
std::string token_in(std::string_view credentials) {
  const std::size_t space = std::min(credentials.find(' '), credentials.size());
  const std::string_view scheme = credentials.substr(0, space);
  const std::string_view rest = trim(credentials.substr(space));
  if (equals_ignoring_case(scheme, "Bearer")) return std::string(rest);
  if (!equals_ignoring_case(scheme, "Basic")) return {};
  const std::string pair = from_base64(rest);
  const std::size_t colon = pair.find(':');
  return colon == std::string::npos ? std::string() : pair.substr(colon + 1);
}

bool is_open_to_any_host(std::string_view path) {
  return path == "/metrics" || path == "/healthz" || path == "/readyz";
}
bool is_open_without_token(std::string_view path) { return path == "/healthz" || path == "/readyz"; }

http::Response unauthorized() {
  http::Response answer = error_response(401,
                                         "the token of admin_token_file is needed: as Authorization: Bearer, or as "
                                         "the password of any user");
  answer.headers.push_back({"WWW-Authenticate", "Basic realm=\"bellwether\", charset=\"UTF-8\""});
  return answer;
}

}  // namespace

Access::Access(AccessOptions options) : options_(std::move(options)) {}

std::optional<http::Response> Access::refuse(const wire::ServerRequest& request, std::string_view path) const {
  if (!is_open_to_any_host(path) && !is_own_host(request.host)) {
    return error_response(kMisdirected,
                          "the request's Host is none of this process's names: use its IP address, or add the name to "
                          "admin_hosts");
  }
  if (!is_open_without_token(path) && !carries_token(request)) return unauthorized();
  return std::nullopt;
}

// An HTTP/1.0 client may send no Host; no browser does that.
bool Access::is_own_host(std::string_view host) const {
  const std::string name = lower_ascii(name_of(host));
  if (host.empty() || name == "localhost" || parse_ip(name.substr(0, name.find('%')))) return true;
  return std::find(options_.hosts.begin(), options_.hosts.end(), name) != options_.hosts.end();
}

bool Access::carries_token(const wire::ServerRequest& request) const {
  if (options_.token.empty()) return true;
  const auto credentials = request.header("Authorization");
  return credentials && is_same_secret(token_in(*credentials), options_.token);
}

}  // namespace bellwether::admin
