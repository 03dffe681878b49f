#include "location.h"

#include <algorithm>
#include <array>
#include <utility>

#include "bellwether/base/percent.h"
#include "bellwether/base/text.h"

namespace bellwether::vault {
namespace {

using Scheme = std::pair<std::string_view, std::string_view>;
constexpr std::array<Scheme, 4> kSchemes = {{{"https", "443"}, {"http", "80"}, {"wss", "443"}, {"ws", "80"}}};

// The default port of the scheme, which is taken off `text`; empty for one that nodes do not use.
std::string_view take_scheme(std::string_view& text) {
  const std::size_t end = text.find("://");
  if (end == std::string_view::npos) return {};
  for (const auto& [scheme, port] : kSchemes) {
    if (!equals_ignoring_case(text.substr(0, end), scheme)) continue;
    text.remove_prefix(end + 3);
    return port;
  }
  return {};
}

}  // namespace

std::optional<AbsoluteUrl> parse_absolute_url(std::string_view text) {
  const std::string_view default_port = take_scheme(text);
  if (default_port.empty()) return std::nullopt;
  const std::size_t authority_end = std::min(text.find_first_of("/?#"), text.size());
  std::string_view authority = text.substr(0, authority_end);
  std::string_view path = text.substr(authority_end);
  path = path.substr(0, path.find_first_of("?#"));

  std::size_t host_end = authority.starts_with('[') ? authority.find(']') : 0;
  if (host_end == std::string_view::npos) return std::nullopt;
  host_end = std::min(authority.find(':', host_end), authority.size());
  const std::string_view host = authority.substr(0, host_end);
  authority.remove_prefix(std::min(host_end + 1, authority.size()));
  if (host.empty()) return std::nullopt;
  return AbsoluteUrl{host, authority.empty() ? default_port : authority, path};
}

bool names_one_of(const AbsoluteUrl& url, std::span<const std::string_view> urls) {
  return std::any_of(urls.begin(), urls.end(), [&url](std::string_view text) {
    const auto other = parse_absolute_url(text);
    return other && other->port == url.port && equals_ignoring_case(other->host, url.host);
  });
}

bool is_same_path(std::string_view a, std::string_view b) {
  const auto decoded = percent_decoded(a);
  return decoded && decoded == percent_decoded(b);
}

}  // namespace bellwether::vault
