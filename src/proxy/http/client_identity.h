#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "bellwether/http/serialize.h"
#include "bellwether/net/stream.h"
#include "bellwether/proxy/client_identity.h"

namespace bellwether::proxy {

// The headers that one client's requests get from us. Owned by its HttpConnection.
class ClientIdentity {
 public:
  // `client` is open. A sender that speaks for others (forwarded_for_trusted) states their certificates itself, and its
  // own is never told in their place.
  void on_handshake(const net::Stream& client, const ClientIdentityOptions& options, bool speaks_for_others);

  [[nodiscard]] std::span<const http::HeaderField> set() const;
  // The name of the header that this client's own word is passed on in, by the options of now; empty: none.
  [[nodiscard]] std::string_view passed_on(const ClientIdentityOptions& now) const {
    return speaks_for_others_ ? std::string_view(now.certificate_header) : std::string_view();
  }

 private:
  std::vector<http::HeaderField> with_certificate_;  // empty: none was shown
  bool speaks_for_others_ = false;
};

}  // namespace bellwether::proxy
