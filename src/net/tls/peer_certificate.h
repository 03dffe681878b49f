#pragma once

#include <string>

struct ssl_st;

namespace bellwether::net {

// The certificate that the peer has proved to hold the key of, in DER; empty if it showed none, if none is asked for
// and verified on this side, or if it has expired since. A resumed session has the certificate of the first.
[[nodiscard]] std::string verified_peer_certificate(const ssl_st* ssl);

}  // namespace bellwether::net
