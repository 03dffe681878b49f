#include "tls_text.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <memory>
#include <vector>

#include "bellwether/base/visible.h"

namespace bellwether::net {

namespace {

struct BioFree {
  void operator()(BIO* bio) const { BIO_free(bio); }
};

template <typename Print>
std::string printed(Print print) {
  const std::unique_ptr<BIO, BioFree> bio(BIO_new(BIO_s_mem()));
  if (!bio) return {};
  print(bio.get());
  char* data = nullptr;
  const long length = BIO_get_mem_data(bio.get(), &data);
  return length > 0 ? std::string(data, static_cast<std::size_t>(length)) : std::string();
}

std::string name_text(const X509_NAME* name) {
  return visible(printed([&](BIO* bio) { X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB); }));
}

std::string time_text(const ASN1_TIME* time) {
  return printed([&](BIO* bio) { ASN1_TIME_print(bio, time); });
}

std::string address_text(const ASN1_OCTET_STRING* bytes) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = ASN1_STRING_length(bytes) == 4 ? AF_INET : AF_INET6;
  if (ASN1_STRING_length(bytes) != 4 && ASN1_STRING_length(bytes) != 16) return "?";
  ::inet_ntop(family, ASN1_STRING_get0_data(bytes), text.data(), text.size());
  return text.data();
}

struct NamesFree {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};

// The DNS names and addresses that a certificate is valid for.
std::vector<std::string> alternative_names(X509* certificate) {
  std::vector<std::string> out;
  const std::unique_ptr<GENERAL_NAMES, NamesFree> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  if (!names) return out;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS) {
      const auto* data = reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName));
      out.push_back(visible({data, static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName))}));
    } else if (name->type == GEN_IPADD) {
      out.push_back(address_text(name->d.iPAddress));
    }
  }
  return out;
}

std::string describe_wrong_name(X509* certificate, std::string_view expected) {
  const auto names = alternative_names(certificate);
  if (names.empty()) {
    return fmt::format(
        "the certificate is not valid for \"{}\": it has no subjectAltName (its common name, {}, does not count)",
        expected, name_text(X509_get_subject_name(certificate)));
  }
  constexpr std::size_t kMost = 10;
  std::string list;
  for (std::size_t i = 0; i < names.size() && i < kMost; ++i) list += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > kMost) list += ", ...";
  return fmt::format("the certificate is not valid for \"{}\", only for {} (set the server name to one of these)",
                     expected, list);
}

}  // namespace

std::string subject_text(const X509* certificate) { return name_text(X509_get_subject_name(certificate)); }

std::string describe_refusal(X509_STORE_CTX* store, std::string_view expected_name) {
  const int error = X509_STORE_CTX_get_error(store);
  X509* const certificate = X509_STORE_CTX_get_current_cert(store);
  if (certificate == nullptr) return X509_verify_cert_error_string(error);
  const std::string subject = subject_text(certificate);
  switch (error) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return describe_wrong_name(certificate, expected_name);
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return fmt::format("the certificate {} expired on {}", subject, time_text(X509_get0_notAfter(certificate)));
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return fmt::format("the certificate {} is not valid before {} (is this machine's clock right?)", subject,
                         time_text(X509_get0_notBefore(certificate)));
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
      return fmt::format(
          "the certificate {} was issued by {}, which is not among the trusted CAs (is it the right CA file?)", subject,
          name_text(X509_get_issuer_name(certificate)));
    default:
      return fmt::format("the certificate {} was refused: {}", subject, X509_verify_cert_error_string(error));
  }
}

std::string describe_ssl_error(unsigned long code) {
  if (ERR_GET_LIB(code) == ERR_LIB_SSL) {
    switch (ERR_GET_REASON(code)) {
      case SSL_R_WRONG_VERSION_NUMBER:
        return "the other side does not speak TLS (plain HTTP on that port?)";
      case SSL_R_HTTP_REQUEST:
      case SSL_R_HTTPS_PROXY_REQUEST:
        return "plain HTTP spoken on a TLS port";
      case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
        return "the other side requires a client certificate";
      case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
        return "the client sent no certificate, and one is required";
      case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
        return "the other side does not know the CA of our certificate";
      case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
        return "the other side refused our certificate, or requires one";
      case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
        return "the other side says that our certificate has expired";
      case SSL_R_UNSUPPORTED_PROTOCOL:
      case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
        return "no common TLS version: 1.2 or newer is needed";
      case SSL_R_NO_SHARED_CIPHER:
      case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
        return "no common TLS cipher, or the other side requires a client certificate";
      case SSL_R_NO_APPLICATION_PROTOCOL:
      case SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL:
        return "no common application protocol (ALPN)";
      default:
        break;
    }
  }
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? fmt::format("TLS error: {}", reason) : fmt::format("TLS error {:#x}", code);
}

HandshakeFailure handshake_failure_of(unsigned long code) {
  if (ERR_GET_LIB(code) != ERR_LIB_SSL) return HandshakeFailure::kProtocol;
  // Alerts that came from the other side: openssl/ssl.h has them as 1000 and the alert's number.
  if (ERR_GET_REASON(code) >= SSL_AD_REASON_OFFSET) return HandshakeFailure::kAlert;
  switch (ERR_GET_REASON(code)) {
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
      return HandshakeFailure::kNoCertificate;
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
      return HandshakeFailure::kPlainHttp;
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
      return HandshakeFailure::kBadCertificate;
    default:
      return HandshakeFailure::kProtocol;
  }
}

std::string_view to_text(HandshakeFailure failure) {
  switch (failure) {
    case HandshakeFailure::kTimeout:
      return "timeout";
    case HandshakeFailure::kClosed:
      return "closed";
    case HandshakeFailure::kNoCertificate:
      return "no_certificate";
    case HandshakeFailure::kBadCertificate:
      return "bad_certificate";
    case HandshakeFailure::kAlert:
      return "alert";
    case HandshakeFailure::kPlainHttp:
      return "plain_http";
    case HandshakeFailure::kProtocol:
      return "protocol";
  }
  return "protocol";
}

std::string take_openssl_error() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "unknown error";
}

}  // namespace bellwether::net
