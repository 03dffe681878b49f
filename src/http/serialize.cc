#include "bellwether/http/serialize.h"

#include <fmt/format.h>

#include "bellwether/base/assert.h"
#include "bellwether/base/text.h"
#include "chars.h"
#include "header_line.h"

namespace bellwether::http {
namespace {

bool never_has_body(int status) { return status < 200 || status == 204 || status == 304; }

// A JSON string without its quotes. What is not UTF-8 is the caller's text all the same: shown, not refused.
std::string json_escaped(std::string_view text) {
  std::string out;
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.append({'\\', c});
    } else if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\u{:04x}", byte);
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

std::string serialize(const Response& response, bool keep_alive, bool head_only) {
  BW_ASSERT(response.status >= 100 && response.status <= 999);
  std::string out = fmt::format("HTTP/1.1 {} {}\r\n", response.status, reason_phrase(response.status));
  for (const HeaderField& field : response.headers) append_own_line(out, field.name, field.value);
  // RFC 9110 section 8.6: no Content-Length with 1xx and 204; with 304 it would speak of a body we do not have.
  if (!never_has_body(response.status)) append_own_line(out, "Content-Length", std::to_string(response.body.size()));
  if (!keep_alive) append_own_line(out, "Connection", "close");
  out += "\r\n";
  if (!head_only && !never_has_body(response.status)) out += response.body;
  return out;
}

std::string serialize(const Request& request) {
  BW_ASSERT(!request.method.empty() && span_of(request.method, kTokenChar) == request.method.size());
  BW_ASSERT(!request.target.empty() && span_of(request.target, kTargetChar) == request.target.size());
  std::string out = fmt::format("{} {} HTTP/1.1\r\n", request.method, request.target);
  append_own_line(out, "Host", request.host);
  for (const HeaderField& field : request.headers) append_own_line(out, field.name, field.value);
  const bool expects_body = request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
  if (expects_body || !request.body.empty())
    append_own_line(out, "Content-Length", std::to_string(request.body.size()));
  out += "\r\n";
  out += request.body;
  return out;
}

Response vault_error(int status, std::string_view message) {
  return Response{.status = status,
                  .headers = {{"Content-Type", "application/json"}},
                  .body = fmt::format("{{\"errors\":[\"{}\"]}}\n", json_escaped(message))};
}

}  // namespace bellwether::http
