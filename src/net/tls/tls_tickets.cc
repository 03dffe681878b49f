#include "tls_tickets.h"

namespace bellwether::net {

void TlsContext::Tickets::put(const std::string& key, Ticket ticket) {
  if (by_key_.size() >= kMostKeys && by_key_.find(key) == by_key_.end()) by_key_.erase(by_key_.begin());
  auto& stack = by_key_[key];
  if (stack.size() >= kMostPerKey) stack.erase(stack.begin());
  stack.push_back(std::move(ticket));
}

Ticket TlsContext::Tickets::take(const std::string& key, WallTime now) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return {};
  auto& stack = found->second;
  while (!stack.empty()) {
    Ticket ticket = std::move(stack.back());
    stack.pop_back();
    SSL_SESSION* const session = ticket.session.get();
    if (SSL_SESSION_is_resumable(session) == 0 || ticket.until <= now) continue;
    if (SSL_SESSION_get_protocol_version(session) < TLS1_3_VERSION) {
      SSL_SESSION_up_ref(session);
      stack.push_back({SslSession(session), ticket.until});
    }
    return ticket;
  }
  return {};
}

}  // namespace bellwether::net
