#pragma once

#include <string>

#include "bellwether/http/certificate_header.h"

namespace bellwether::proxy {

// What http listeners tell nodes of a client's certificate, in a request header that the nodes are configured to
// believe (x_forwarded_for_client_cert_header, vault/FACTS.md 6).
struct ClientIdentityOptions {
  std::string certificate_header;  // empty: nodes are told nothing
  http::CertificateEncoding encoding = http::CertificateEncoding::kBase64;
  http::DroppedHeaders dropped;  // what clients may not send; certificate_header is one of them
};

}  // namespace bellwether::proxy
