#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace bellwether::vault {

// An absolute URL as nodes put it into Location: http, https, ws or wss.
struct AbsoluteUrl {
  std::string_view host;  // with its brackets if it is an IPv6 literal
  std::string_view port;  // the scheme's if none is given
  std::string_view path;  // undecoded, without query
};
// Empty for everything else, a path-only reference above all.
[[nodiscard]] std::optional<AbsoluteUrl> parse_absolute_url(std::string_view text);

// Whether it has host and port of one of these URLs.
[[nodiscard]] bool names_one_of(const AbsoluteUrl& url, std::span<const std::string_view> urls);

// Whether both paths are the same to a node: a redirect's path is encoded anew from the decoded one (FACTS.md 4).
[[nodiscard]] bool is_same_path(std::string_view a, std::string_view b);

}  // namespace bellwether::vault
