#include "bellwether/http/certificate_header.h"

#include "catch.hpp"

using namespace bellwether::http;

TEST_CASE("The names by which common proxies hand on a client's certificate are known", "[http][identity]") {
  for (const char* name : {"Client-Cert",
                           "Client-Cert-Chain",
                           "Client-Chain",
                           "X-Client-Chain",
                           "X-Client-Cert",
                           "X-SSL-Client-Cert",
                           "SSL-Client-Cert",
                           "SSL_CLIENT_CERT",
                           "X-Forwarded-Client-Cert",
                           "X-Forwarded-For-Client-Cert",
                           "X-Forwarded-Tls-Client-Cert",
                           "X-Forwarded-Tls-Client-Cert-Info",
                           "X-ARR-ClientCert",
                           "X-Amzn-Mtls-Clientcert",
                           "X-Amzn-Mtls-Clientcert-Leaf",
                           "X-Amzn-Mtls-Clientcert-Chain",
                           "X-Client-Certificate",
                           "X-SSL-Cert",
                           "X-SSL-Certificate",
                           "X-Peer-Certificate",
                           "X-TLS-Client-Certificate",
                           "ssl-client-verify",
                           "X-TLS-Peer",
                           "X-Processed-Tls-Client-Certificate",
                           "X-Client-X509",
                           "X-Client-Pem",
                           "x-cert",
                           "CERT",
                           "x_ssl_client_cert",
                           "X-SSL-Client-S-DN",
                           "Client-Cert-Pem-Of-A-Name-That-Is-Longer-Than-Any-Usual-Header-Name-Would-Be"}) {
    CAPTURE(name);
    CHECK(may_carry_certificate(name));
  }
}

TEST_CASE("Headers that Vault's clients send carry none", "[http][identity]") {
  for (const char* name : {"Accept",
                           "Accept-Encoding",
                           "Authorization",
                           "Content-Type",
                           "Cookie",
                           "If-None-Match",
                           "Origin",
                           "User-Agent",
                           "X-Requested-With",
                           "X-Vault-Namespace",
                           "X-Vault-Request",
                           "X-Vault-Token",
                           "X-Vault-Wrap-TTL",
                           "X-Vault-MFA",
                           "X-Vault-Index",
                           "X-Vault-Inconsistent",
                           "X-Request-Id",
                           "traceparent",
                           "X-Client-Name",
                           "X-Attempt",
                           "Tempem",
                           "X-SSL",
                           "X-Tls-Version",
                           "Client",
                           ""}) {
    CAPTURE(name);
    CHECK_FALSE(may_carry_certificate(name));
  }
}

TEST_CASE("Names from the configuration are dropped too, however they are spelled", "[http][identity]") {
  const DroppedHeaders dropped({"X-Identity"});
  CHECK(dropped.contains("x-identity"));
  CHECK(dropped.contains("X_IDENTITY"));
  CHECK(dropped.contains("Client-Cert"));
  CHECK_FALSE(dropped.contains("X-Identity-2"));
  CHECK_FALSE(DroppedHeaders().contains("X-Identity"));
}

TEST_CASE("A certificate is written as nodes decode it", "[http][identity]") {
  CHECK(encode_certificate("", CertificateEncoding::kBase64).empty());
  CHECK(encode_certificate("f", CertificateEncoding::kBase64) == "Zg==");
  CHECK(encode_certificate("fo", CertificateEncoding::kBase64) == "Zm8=");
  CHECK(encode_certificate("foo", CertificateEncoding::kBase64) == "Zm9v");
  CHECK(encode_certificate("\xff\xfe\xfd", CertificateEncoding::kBase64) == "//79");
  CHECK(encode_certificate("foobar", CertificateEncoding::kRfc9440) == ":Zm9vYmFy:");
  CHECK(encode_certificate("\xff\xfe", CertificateEncoding::kUrlPem) ==
        "-----BEGIN%20CERTIFICATE-----%0A%2F%2F4%3D%0A-----END%20CERTIFICATE-----%0A");
  CHECK(encode_certificate(std::string(49, 'a'), CertificateEncoding::kUrlPem).find("%0AYQ%3D%3D%0A") !=
        std::string::npos);
}
