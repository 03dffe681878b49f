#pragma once

#include <openssl/ssl.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bellwether/net/tls.h"

namespace bellwether::net {

struct SslSessionFree {
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};
using SslSession = std::unique_ptr<SSL_SESSION, SslSessionFree>;

// A session to resume, and how long that may be done.
struct Ticket {
  SslSession session;
  WallTime until{};
};

// What servers gave us to resume with, newest first out. A TLS 1.3 ticket is used once (RFC 8446 appendix C.4), a
// TLS 1.2 session again and again.
class TlsContext::Tickets {
 public:
  void put(const std::string& key, Ticket ticket);
  [[nodiscard]] Ticket take(const std::string& key, WallTime now);  // without a session: none

 private:
  static constexpr std::size_t kMostPerKey = 4;
  static constexpr std::size_t kMostKeys = 256;
  std::map<std::string, std::vector<Ticket>> by_key_;
};

}  // namespace bellwether::net
