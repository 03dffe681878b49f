#include "more_certificates.h"

#include <fmt/format.h>
#include <openssl/x509v3.h>

#include <utility>

namespace bellwether::net {
namespace {

struct NamesFree {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};

// The common name does not count, as for clients of Vault.
std::vector<std::string> dns_names(const X509* certificate) {
  std::vector<std::string> found;
  const std::unique_ptr<GENERAL_NAMES, NamesFree> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_DNS) continue;
    const auto* data = reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName));
    found.emplace_back(data, static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
  }
  return found;
}

}  // namespace

TlsContext::MoreCertificates::MoreCertificates(const SSL_CTX* own, std::string own_file)
    : own_file_(std::move(own_file)) {
  names_.add(0, dns_names(SSL_CTX_get0_certificate(own)));
}

Result<void> TlsContext::MoreCertificates::add(std::string file, SslContext context) {
  const std::vector<std::string> names = dns_names(SSL_CTX_get0_certificate(context.get()));
  if (names.empty()) {
    return fail(ErrorKind::kInvalid, fmt::format("the certificate {} has no DNS name (subjectAltName) that a client "
                                                 "could ask for: only the first of several may be without",
                                                 file));
  }
  if (names_.add(entries_.size() + 1, names) == 0) {
    const std::size_t owner = names_.owner_of(names.front());
    return fail(
        ErrorKind::kInvalid,
        fmt::format("the certificates {} and {} are for the same names ({}): clients would never see the second",
                    owner == 0 ? own_file_ : entries_[owner - 1].file, file, fmt::join(names, ", ")));
  }
  entries_.push_back({std::move(file), std::move(context)});
  return {};
}

void TlsContext::MoreCertificates::begin(SSL_CTX* own) { SSL_CTX_set_cert_cb(own, &on_certificate, this); }

// In a full handshake only: who resumes a session is shown no certificate.
int TlsContext::MoreCertificates::on_certificate(SSL* ssl, void* self_as_void) {
  const auto& self = *static_cast<const MoreCertificates*>(self_as_void);
  const char* const asked = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  const std::size_t chosen = asked == nullptr ? 0 : self.names_.find(asked).value_or(0);
  if (chosen == 0) return 1;
  SSL_CTX* const from = self.entries_[chosen - 1].context.get();
  STACK_OF(X509)* chain = nullptr;
  SSL_CTX_get0_chain_certs(from, &chain);
  // One of another key type would stay beside this one, and OpenSSL might prefer it.
  SSL_certs_clear(ssl);
  return SSL_use_cert_and_key(ssl, SSL_CTX_get0_certificate(from), SSL_CTX_get0_privatekey(from), chain, 1);
}

}  // namespace bellwether::net
