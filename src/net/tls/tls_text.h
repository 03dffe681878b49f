#pragma once

#include <openssl/x509_vfy.h>

#include <string>
#include <string_view>

#include "bellwether/net/tls.h"

namespace bellwether::net {

// Why a certificate was refused, for the operator: what was expected, what it says, what to set.
[[nodiscard]] std::string describe_refusal(X509_STORE_CTX* store, std::string_view expected_name);
// Whose certificate it is: "CN=vault1,O=Example".
[[nodiscard]] std::string subject_text(const X509* certificate);
// What an error of the OpenSSL queue means.
[[nodiscard]] std::string describe_ssl_error(unsigned long code);
// ... in a client's handshake, as one of few.
[[nodiscard]] HandshakeFailure handshake_failure_of(unsigned long code);
// The newest entry of the queue as OpenSSL says it; empties the queue.
[[nodiscard]] std::string take_openssl_error();

}  // namespace bellwether::net
