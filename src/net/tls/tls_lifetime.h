#pragma once

#include <openssl/ssl.h>

#include <optional>

#include "bellwether/base/time.h"

namespace bellwether::net {

// How long a TLS session may be resumed. Resumption proves that the peer was authenticated once, and neither side looks
// at a certificate again: so it ends `lifetime` after the full handshake, and with the first certificate of the chain
// that was verified then. Each resumption brings a new ticket (RFC 8446 section 4.6.1), which inherits that end.

[[nodiscard]] std::optional<WallTime> not_after_of(const X509* certificate);

// For a connection that made a full handshake now.
[[nodiscard]] WallTime resumable_until(const SSL* ssl, WallTime now, Duration lifetime);

// Puts that end into the tickets of a server, and refuses those whose end has come: their clients make a full
// handshake. Zero: no tickets. `lifetime` must live as long as the context.
void limit_tickets(SSL_CTX* server, const Duration& lifetime);

}  // namespace bellwether::net
