#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bellwether::http {

// A TLS-terminating proxy tells the server behind it in a request header which certificate its client has shown (RFC
// 9440, and names of their own that common proxies use). Whoever can set the header is whoever it likes to be, and the
// server's configuration alone decides which header is believed. So a client's request may carry none that could be it.

// Whether a header of that name may carry a certificate: it contains "cert" or "x509", or one of its words is "pem", or
// "ssl", "tls" or "mtls" stand in it beside "client", "peer" or "chain", or it ends with "client-chain". Letters count
// whatever their case; words end at every other character.
[[nodiscard]] bool may_carry_certificate(std::string_view name);

// The request headers that are not passed on from clients: those above, and more names from the configuration. A "-"
// in a name stands for "_" too, which some servers between take for the same.
class DroppedHeaders {
 public:
  DroppedHeaders() = default;
  explicit DroppedHeaders(std::vector<std::string> names) : names_(std::move(names)) {}
  [[nodiscard]] bool contains(std::string_view name) const;

 private:
  std::vector<std::string> names_;
};
[[nodiscard]] bool is_same_header(std::string_view a, std::string_view b);  // "-" and "_", any case

// How a certificate stands in a header.
enum class CertificateEncoding : std::uint8_t {
  kBase64,   // base64 of its DER form
  kRfc9440,  // the same between colons (RFC 9440 section 2.1)
  kUrlPem,   // PEM, percent-encoded
};
[[nodiscard]] std::string encode_certificate(std::string_view der, CertificateEncoding encoding);

}  // namespace bellwether::http
