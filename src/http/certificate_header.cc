#include "bellwether/http/certificate_header.h"

#include <algorithm>
#include <array>

#include "bellwether/base/base64.h"
#include "bellwether/base/percent.h"
#include "bellwether/base/text.h"

namespace bellwether::http {
namespace {

constexpr std::size_t kPemLine = 64;

constexpr std::size_t kUsualName = 64;

// What nearly every request has, so that it is not searched.
constexpr std::array<std::string_view, 10> kHarmless = {
    "host",          "user-agent",    "accept",          "accept-encoding",
    "content-type",  "x-vault-token", "x-vault-request", "x-vault-namespace",
    "authorization", "cookie"};

bool is_word_char(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

// Calls `is_it` with each word of `name`, which is in lower case, until it says true.
template <typename Predicate>
bool any_word(std::string_view name, Predicate is_it) {
  while (!name.empty()) {
    const auto end = std::find_if_not(name.begin(), name.end(), is_word_char);
    const auto length = static_cast<std::size_t>(end - name.begin());
    if (length > 0 && is_it(name.substr(0, length))) return true;
    name.remove_prefix(std::min(length + 1, name.size()));
  }
  return false;
}

bool is_of_tls_peer(std::string_view name) {
  if (!contains(name, "ssl") && !contains(name, "tls")) return false;
  const bool is_tls =
      any_word(name, [](std::string_view word) { return word == "ssl" || word == "tls" || word == "mtls"; });
  return is_tls && (contains(name, "client") || contains(name, "peer") || contains(name, "chain"));
}

// RFC 7468.
std::string pem(std::string_view der) {
  const std::string text = to_base64(der);
  std::string out = "-----BEGIN CERTIFICATE-----\n";
  for (std::size_t at = 0; at < text.size(); at += kPemLine) out.append(text, at, kPemLine).append("\n");
  return out + "-----END CERTIFICATE-----\n";
}

}  // namespace

bool may_carry_certificate(std::string_view name) {
  // Each header of each request comes by here: no memory is taken for usual names.
  const auto is_name = [name](std::string_view each) { return equals_ignoring_case(each, name); };
  if (std::any_of(kHarmless.begin(), kHarmless.end(), is_name)) return false;
  std::array<char, kUsualName> buffer{};
  std::string long_name;
  std::string_view lower;
  if (name.size() <= buffer.size()) {
    std::transform(name.begin(), name.end(), buffer.begin(), [](char c) { return lower_ascii(c); });
    lower = {buffer.data(), name.size()};
  } else {
    lower = long_name = lower_ascii(name);
  }
  if (contains(lower, "cert") || contains(lower, "x509")) return true;
  if (contains(lower, "pem") && any_word(lower, [](std::string_view word) { return word == "pem"; })) return true;
  return is_of_tls_peer(lower) || lower.ends_with("client-chain") || lower.ends_with("client_chain");
}

bool is_same_header(std::string_view a, std::string_view b) {
  const auto folded = [](char c) { return c == '_' ? '-' : lower_ascii(c); };
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [&](char x, char y) { return folded(x) == folded(y); });
}

bool DroppedHeaders::contains(std::string_view name) const {
  return may_carry_certificate(name) || std::any_of(names_.begin(), names_.end(), [name](const std::string& each) {
           return is_same_header(each, name);
         });
}

std::string encode_certificate(std::string_view der, CertificateEncoding encoding) {
  switch (encoding) {
    case CertificateEncoding::kBase64:
      return to_base64(der);
    case CertificateEncoding::kRfc9440:
      return ":" + to_base64(der) + ":";
    case CertificateEncoding::kUrlPem:
      return percent_encoded(pem(der));
  }
  return {};
}

}  // namespace bellwether::http
