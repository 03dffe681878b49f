#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bellwether::sim {

// A request as a node sees it; the pure core's own, so that it needs no sockets.
struct Request {
  std::string method;
  std::string target;  // byte for byte
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;

  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;  // any case
  [[nodiscard]] std::string_view path() const;                                        // without the query
  // The first value of that query parameter, percent-decoded.
  [[nodiscard]] std::optional<std::string> parameter(std::string_view name) const;
  [[nodiscard]] bool is_list() const;  // LIST, or GET with list=true
  [[nodiscard]] bool is_read() const;  // GET, HEAD, LIST, SCAN
  [[nodiscard]] bool is_put() const { return method == "PUT" || method == "POST"; }
};

// "%2F" becomes "/"; a broken escape stays as it is.
[[nodiscard]] std::string percent_decoded(std::string_view text);

}  // namespace bellwether::sim
