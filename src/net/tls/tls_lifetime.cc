#include "tls_lifetime.h"

#include <openssl/x509.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <ctime>

namespace bellwether::net {

namespace {

using Seconds = std::int64_t;  // since 1970, as kept in a ticket

Seconds seconds_of(WallTime at) { return std::chrono::system_clock::to_time_t(at); }
// By the clock that OpenSSL judges certificates with. It turns up to a tick of the kernel (4 ms) later than
// system_clock: by that one, a ticket could end while the certificate that limits it is still taken in a full
// handshake.
Seconds wall_seconds() { return std::time(nullptr); }

// Tickets are encrypted and authenticated by this very process: what is in them is ours.
std::optional<Seconds> end_in(SSL_SESSION* session) {
  void* data = nullptr;
  std::size_t size = 0;
  Seconds until = 0;
  if (SSL_SESSION_get0_ticket_appdata(session, &data, &size) != 1 || size != sizeof until) return std::nullopt;
  std::memcpy(&until, data, sizeof until);
  return until;
}

int on_new_ticket(SSL* ssl, void* lifetime) {
  SSL_SESSION* const session = SSL_get_session(ssl);
  std::optional<Seconds> until = SSL_session_reused(ssl) == 1 ? end_in(session) : std::nullopt;
  if (!until) {
    until = seconds_of(resumable_until(ssl, std::chrono::system_clock::now(), *static_cast<const Duration*>(lifetime)));
    if (SSL_SESSION_set1_ticket_appdata(session, &*until, sizeof *until) != 1) return 0;
  }
  // What the client is told; OpenSSL's own limit begins anew with each ticket. At least one second: OpenSSL 3.0 reads a
  // session with a timeout of 0 back as one of 3 seconds, finds that it has grown, and ends the handshake with
  // "internal error" (construct_stateless_ticket). A ticket that is offered after its end is refused by on_ticket all
  // the same.
  SSL_SESSION_set_timeout(session, static_cast<long>(std::max<Seconds>(*until - wall_seconds(), 1)));
  return 1;
}

SSL_TICKET_RETURN on_ticket(SSL*, SSL_SESSION* session, const unsigned char*, std::size_t, SSL_TICKET_STATUS status,
                            void*) {
  const bool is_read = status == SSL_TICKET_SUCCESS || status == SSL_TICKET_SUCCESS_RENEW;
  if (!is_read) return SSL_TICKET_RETURN_IGNORE_RENEW;
  const auto until = end_in(session);
  if (!until || *until <= wall_seconds()) return SSL_TICKET_RETURN_IGNORE_RENEW;
  return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
}

}  // namespace

std::optional<WallTime> not_after_of(const X509* certificate) {
  std::tm end{};
  if (certificate == nullptr || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) != 1) return std::nullopt;
  return std::chrono::system_clock::from_time_t(::timegm(&end));
}

WallTime resumable_until(const SSL* ssl, WallTime now, Duration lifetime) {
  WallTime until = now + std::chrono::duration_cast<WallTime::duration>(lifetime);
  const STACK_OF(X509)* chain = SSL_get0_verified_chain(ssl);
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    until = std::min(until, not_after_of(sk_X509_value(chain, i)).value_or(until));
  }
  return until;
}

void limit_tickets(SSL_CTX* server, const Duration& lifetime) {
  if (lifetime <= Duration::zero()) {
    SSL_CTX_set_options(server, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(server, 0);
    return;
  }
  SSL_CTX_set_num_tickets(server, 1);
  SSL_CTX_set_session_ticket_cb(server, &on_new_ticket, &on_ticket, const_cast<Duration*>(&lifetime));
}

}  // namespace bellwether::net
