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

// What servers gave us to resume with, newest first out. A TLS 1.3 ticket is used once (RFC 8446 appendix C.4), a
// TLS 1.2 session again and again.
class TlsContext::Tickets {
 public:
  void put(const std::string& key, SslSession session);
  [[nodiscard]] SslSession take(const std::string& key);  // null: none

 private:
  static constexpr std::size_t kMostPerKey = 4;
  static constexpr std::size_t kMostKeys = 256;
  std::map<std::string, std::vector<SslSession>> by_key_;
};

}  // namespace bellwether::net
