#include "client_identity.h"

#include <string>

#include "bellwether/vault/request_class.h"

namespace bellwether::proxy {
namespace {

// Nodes are kept from forwarding, so that a refusal is a proof (vault/FACTS.md 3).
const http::HeaderField& unforwarded() {
  static const http::HeaderField header{std::string(vault::kNoForwardingHeader), "true"};
  return header;
}

}  // namespace

void ClientIdentity::on_handshake(const net::Stream& client, const ClientIdentityOptions& options,
                                  bool speaks_for_others) {
  speaks_for_others_ = speaks_for_others;
  if (options.certificate_header.empty() || speaks_for_others) return;
  const std::string der = client.peer_certificate();
  if (der.empty()) return;
  with_certificate_ = {unforwarded(), {options.certificate_header, http::encode_certificate(der, options.encoding)}};
}

std::span<const http::HeaderField> ClientIdentity::set() const {
  if (!with_certificate_.empty()) return with_certificate_;
  return {&unforwarded(), 1};
}

}  // namespace bellwether::proxy
