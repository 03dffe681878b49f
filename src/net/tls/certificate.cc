#include "bellwether/net/certificate.h"

#include <fmt/format.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <ctime>

#include "more_certificates.h"
#include "tls_lifetime.h"
#include "tls_text.h"

namespace bellwether::net {
namespace {

std::optional<WallTime> wall_time(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
  return std::chrono::system_clock::from_time_t(::timegm(&parts));
}

std::optional<std::string> problem_of(const X509* certificate, WallTime now) {
  const auto begin = wall_time(X509_get0_notBefore(certificate));
  const auto end = wall_time(X509_get0_notAfter(certificate));
  if (end && *end <= now) return fmt::format("expired on {}", format_utc(*end));
  if (begin && *begin > now) {
    return fmt::format("is not valid before {} (is this machine's clock right?)", format_utc(*begin));
  }
  return std::nullopt;
}

// The certificate, or one of its chain.
std::optional<std::string> problem_of(SSL_CTX* context, const X509* own, WallTime now) {
  if (auto problem = problem_of(own, now)) return problem;
  STACK_OF(X509)* chain = nullptr;
  SSL_CTX_get0_chain_certs(context, &chain);
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    const X509* issuer = sk_X509_value(chain, i);
    if (const auto problem = problem_of(issuer, now)) {
      return fmt::format("comes with that of its issuer {}, which {}", subject_text(issuer), *problem);
    }
  }
  return std::nullopt;
}

}  // namespace

std::vector<OwnCertificate> own_certificates(const TlsContext& context, WallTime now) {
  std::vector<OwnCertificate> found;
  const auto add = [&](SSL_CTX* of, const std::string& file) {
    const X509* const own = SSL_CTX_get0_certificate(of);
    if (own != nullptr) found.push_back({file, not_after_of(own), problem_of(of, own, now)});
  };
  add(context.context_, context.cert_file_);
  if (context.more_) {
    for (const TlsContext::MoreCertificates::Entry& each : context.more_->all()) add(each.context.get(), each.file);
  }
  return found;
}

std::optional<std::string> validity_problem(const TlsContext& context, WallTime now) {
  const std::vector<OwnCertificate> all = own_certificates(context, now);
  for (const OwnCertificate& each : all) {
    if (each.problem) return all.size() == 1 ? *each.problem : fmt::format("in {} {}", each.file, *each.problem);
  }
  return std::nullopt;
}

}  // namespace bellwether::net
