#include "plain_http_answer.h"

#include <array>
#include <string_view>

namespace bellwether::net {
namespace {

constexpr std::string_view kAnswer =
    "HTTP/1.1 400 Bad Request\r\n"
    "Content-Type: application/json\r\n"
    "Content-Length: 106\r\n"
    "Connection: close\r\n"
    "\r\n"
    R"({"errors":["Bellwether: this address speaks TLS, and the request came as plain HTTP: write https://..."]})"
    "\n";
static_assert(kAnswer.size() - kAnswer.find("{\"errors") == 106);

}  // namespace

void answer_plain_http(Socket& socket) {
  constexpr int kMaxReads = 8;
  std::array<char, 8192> rest;
  for (int i = 0; i < kMaxReads && socket.read(rest).status == IoStatus::kOk; ++i) {
  }
  // A fresh connection has room for it; if not, the client learns nothing, as before.
  (void)socket.write(kAnswer);
  socket.shutdown_write();
}

}  // namespace bellwether::net
