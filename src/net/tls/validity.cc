#include "bellwether/net/validity.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

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

struct BioFree {
  void operator()(BIO* bio) const { BIO_free(bio); }
};

}  // namespace

std::optional<Validity> validity_of(std::string_view der) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
  const std::unique_ptr<X509, CertificateFree> certificate(d2i_X509(nullptr, &bytes, static_cast<long>(der.size())));
  return times_of(certificate.get());
}

std::optional<Validity> validity_of_file(const std::string& file) {
  const std::unique_ptr<BIO, BioFree> bio(BIO_new_file(file.c_str(), "r"));
  if (!bio) return std::nullopt;
  const std::unique_ptr<X509, CertificateFree> certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  return times_of(certificate.get());
}

}  // namespace bellwether::net
