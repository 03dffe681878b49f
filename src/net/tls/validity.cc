#include "bellwether/net/validity.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <memory>

namespace bellwether::net {
namespace {

struct CertificateFree {
  void operator()(X509* certificate) const { X509_free(certificate); }
};

std::optional<WallTime> wall_time(const ASN1_TIME* time) {
  constexpr std::time_t kLast = 9'000'000'000;
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
  return std::chrono::system_clock::from_time_t(std::clamp<std::time_t>(::timegm(&parts), 0, kLast));
}

std::optional<Validity> times_of(const X509* certificate) {
  if (certificate == nullptr) return std::nullopt;
  const auto begin = wall_time(X509_get0_notBefore(certificate));
  const auto end = wall_time(X509_get0_notAfter(certificate));
  if (!begin || !end) return std::nullopt;
  return Validity{*begin, *end};
}

std::unique_ptr<X509, CertificateFree> read_der(std::string_view der) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
  return std::unique_ptr<X509, CertificateFree>(d2i_X509(nullptr, &bytes, static_cast<long>(der.size())));
}

struct NamesFree {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

struct BioFree {
  void operator()(BIO* bio) const { BIO_free(bio); }
};

}  // namespace

std::optional<Validity> validity_of(std::string_view der) { return times_of(read_der(der).get()); }

std::optional<Validity> validity_of_file(const std::string& file) {
  const std::unique_ptr<BIO, BioFree> bio(BIO_new_file(file.c_str(), "r"));
  if (!bio) return std::nullopt;
  const std::unique_ptr<X509, CertificateFree> certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  return times_of(certificate.get());
}

std::vector<std::string> dns_names_of(std::string_view der) {
  std::vector<std::string> found;
  const auto certificate = read_der(der);
  if (!certificate) return found;
  const std::unique_ptr<GENERAL_NAMES, NamesFree> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate.get(), NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()) && found.size() < kMaxDnsNames; ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_DNS) continue;
    const auto* bytes = reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName));
    std::string text(bytes, static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
    if (!text.empty() && is_printable(text)) found.push_back(std::move(text));
  }
  return found;
}

}  // namespace bellwether::net
