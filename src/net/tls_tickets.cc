#include "tls_tickets.h"

namespace bellwether::net {

void TlsContext::Tickets::put(const std::string& key, SslSession session) {
  if (by_key_.size() >= kMostKeys && by_key_.find(key) == by_key_.end()) by_key_.erase(by_key_.begin());
  auto& stack = by_key_[key];
  if (stack.size() >= kMostPerKey) stack.erase(stack.begin());
  stack.push_back(std::move(session));
}

SslSession TlsContext::Tickets::take(const std::string& key) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return nullptr;
  auto& stack = found->second;
  while (!stack.empty()) {
    SslSession session = std::move(stack.back());
    stack.pop_back();
    if (SSL_SESSION_is_resumable(session.get()) == 0) continue;
    if (SSL_SESSION_get_protocol_version(session.get()) < TLS1_3_VERSION) {
      SSL_SESSION_up_ref(session.get());
      stack.emplace_back(session.get());
    }
    return session;
  }
  return nullptr;
}

}  // namespace bellwether::net
