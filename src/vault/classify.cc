#include "classify.h"

#include <fmt/format.h>

#include "bellwether/base/text.h"

namespace bellwether::vault {
namespace {

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

// Without the address that probe::message_for() puts behind it.
std::string_view without_place(std::string_view message) {
  const std::size_t place = message.rfind(" (at ");
  return message.ends_with(')') && place != std::string_view::npos ? message.substr(0, place) : message;
}

// A certificate's names stand behind "the certificate ", and before the words of ours that end the text.
Trouble trouble_of_certificate(std::string_view from_certificate) {
  const std::string_view text = without_place(from_certificate);
  if (text.starts_with("the certificate is not valid for")) return Trouble::kWrongName;
  if (text.ends_with("not among the trusted CAs") || text.ends_with("(is it the right CA file?)"))
    return Trouble::kUnknownCa;
  const bool has_expired = contains(text, " expired on ") && text.ends_with(" GMT");
  if (has_expired || text.ends_with("(is this machine's clock right?)")) return Trouble::kCertificateTime;
  const bool is_wrong_name = contains(text, " is not valid for \"") && !contains(text, " was refused: ");
  return is_wrong_name ? Trouble::kWrongName : Trouble::kOtherTls;
}

// The texts are those of net::describe_ssl_error() and describe_refusal().
Trouble trouble_of_tls(std::string_view message) {
  if (const std::size_t begin = message.find("the certificate "); begin != std::string_view::npos)
    return trouble_of_certificate(message.substr(begin));
  if (message.ends_with("not among the trusted CAs")) return Trouble::kUnknownCa;
  if (contains(message, "does not speak TLS")) return Trouble::kNotTls;
  const bool is_about_ours = contains(message, "client certificate") || contains(message, "our certificate");
  return is_about_ours ? Trouble::kClientCertificate : Trouble::kOtherTls;
}

// Codes of balancers and proxies, unless the body has Vault's own words.
bool is_gateways(int status, std::string_view problem) {
  const bool is_code = status == 407 || status == 502 || status == 503 || status == 504;
  return is_code && !problem.starts_with(fmt::format("HTTP {}: ", status));
}

}  // namespace

Trouble trouble_of_silence(std::optional<cluster::ProbeFailure> failure, std::string_view message) {
  using cluster::ProbeFailure;
  if (!failure) return Trouble::kNotHttp;
  switch (*failure) {
    case ProbeFailure::kRefused:
      return Trouble::kRefused;
    case ProbeFailure::kTls:
      return trouble_of_tls(message);
    case ProbeFailure::kUnreachable:
      return contains(message, "resolve") ? Trouble::kUnresolved : Trouble::kUnreachable;
    case ProbeFailure::kConnectTimeout:
      return Trouble::kConnectTimeout;
    case ProbeFailure::kAnswerTimeout:
      return Trouble::kAnswerTimeout;
    case ProbeFailure::kClosed:
    case ProbeFailure::kReset:
      return Trouble::kEnded;
  }
  return Trouble::kEnded;
}

Trouble trouble_of_answer(const NodeSetUp& set_up, int status, std::string_view problem) {
  if (contains(lower_ascii(problem), "x-forwarded-for")) return Trouble::kForwardedFor;
  const bool is_https_port = contains(problem, "HTTP request to an HTTPS server");
  if (!set_up.is_tls && (status == 400 || is_https_port)) return Trouble::kTlsPort;
  if (contains(problem, "quota")) return Trouble::kQuota;
  // The texts of classify_health(): all others begin with "HTTP" and the code.
  const bool is_at_odds = problem.starts_with("says ") || problem.starts_with("its status says ");
  if (is_at_odds || problem == fmt::format("HTTP {} is none of Vault's health codes", status))
    return Trouble::kContradiction;
  return is_gateways(status, problem) ? Trouble::kGateway : Trouble::kNotVault;
}

}  // namespace bellwether::vault
