#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bellwether::http {

// The standard phrase of a status ("OK", "Temporary Redirect"), or "Unknown".
[[nodiscard]] std::string_view reason_phrase(int status);

struct HeaderField {
  std::string name;
  std::string value;
  friend bool operator==(const HeaderField&, const HeaderField&) = default;
};

// A whole response of our own. Content-Length is added (also 0), "Connection: close" if !keep_alive.
// REQUIRES: names are tokens and values hold no CR, LF or NUL (asserted).
struct Response {
  int status = 200;
  std::vector<HeaderField> headers;
  std::string body;
};
[[nodiscard]] std::string serialize(const Response& response, bool keep_alive, bool head_only = false);

// A whole request of our own, HTTP/1.1, Host first.
struct Request {
  std::string method = "GET";
  std::string target = "/";
  std::string host;
  std::vector<HeaderField> headers;
  std::string body;  // with Content-Length if not empty or if the method is POST/PUT/PATCH
};
[[nodiscard]] std::string serialize(const Request& request);

// {"errors":["..."]}: the shape that Vault's own clients print.
[[nodiscard]] Response vault_error(int status, std::string_view message);

}  // namespace bellwether::http
