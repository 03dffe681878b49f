#include "peer_certificate.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace bellwether::net {

std::string verified_peer_certificate(const ssl_st* ssl) {
  // Without a certificate the result is X509_V_OK as well.
  if (SSL_get_verify_mode(ssl) == SSL_VERIFY_NONE || SSL_get_verify_result(ssl) != X509_V_OK) return {};
  X509* const certificate = SSL_get0_peer_certificate(ssl);
  if (certificate == nullptr || X509_cmp_current_time(X509_get0_notAfter(certificate)) <= 0) return {};
  unsigned char* bytes = nullptr;
  const int size = i2d_X509(certificate, &bytes);
  if (size <= 0) return {};
  std::string der(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  return der;
}

}  // namespace bellwether::net
