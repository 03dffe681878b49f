#include "bellwether/vault/advice.h"

#include <fmt/format.h>

#include "bellwether/base/text.h"

namespace bellwether::vault {
namespace {

// The port of cluster_addr, one above the API's by default (V and B: command/server.go, "cluster_address").
constexpr std::uint16_t kClusterPort = 8201;
constexpr std::string_view kClusterPortAdvice =
    "8201 is usually the port that nodes use among themselves (cluster_addr): is the API not at 8200?";

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

std::string_view tls_advice(const NodeSetUp& node, std::string_view message) {
  if (contains(message, "not valid for")) {
    return node.has_server_name ? "correct server_name (--server-name), or the node's URL"
                                : "if all nodes share one name, set server_name (--server-name NAME)";
  }
  if (contains(message, "not among the trusted CAs")) {
    return node.has_ca ? "set ca_file (--ca-file) to the CA that issued it"
                       : "name the CA that issued it with ca_file (--ca-file FILE)";
  }
  if (contains(message, "does not speak TLS")) return "write http:// in the node's URL, or correct its port";
  if (contains(message, "expired")) return "renew the node's certificate";
  if (contains(message, "client certificate")) {
    return node.has_client_cert ? "the node accepts only certificates of its own CA: is client_cert issued by it?"
                                : "name one with client_cert and client_key (--client-cert, --client-key)";
  }
  return {};
}

// The connection ended without an answer: what the node's listener may have missed.
std::string ended_advice(const NodeSetUp& node) {
  if (!node.is_tls) {
    return node.sends_proxy ? "does it speak TLS? then write https:// in its URL; does it want no PROXY header?"
                            : "does it speak TLS? then write https:// in its URL; or does it want a PROXY header "
                              "(send_proxy, --send-proxy)?";
  }
  std::string advice;
  if (!node.has_client_cert) advice = "does it want a client certificate (client_cert, --client-cert)";
  if (!node.sends_proxy) {
    advice += advice.empty() ? "does it want" : " or";
    advice += " a PROXY header (send_proxy, --send-proxy)";
  }
  return advice.empty() ? "is it Vault that listens there?" : advice + "?";
}

std::string silence_advice(const NodeSetUp& node, std::optional<cluster::ProbeFailure> failure,
                           std::string_view message) {
  using cluster::ProbeFailure;
  if (!failure) {
    return node.is_tls ? "is it Vault that listens there?" : "does it speak TLS? then write https:// in its URL";
  }
  switch (*failure) {
    case ProbeFailure::kRefused:
      return "is Vault running there, and is the port right?";
    case ProbeFailure::kTls:
      return std::string(tls_advice(node, message));
    case ProbeFailure::kUnreachable:
      if (contains(message, "resolve")) return "is the name spelled right, and known to DNS or /etc/hosts here?";
      return "is there a firewall or a wrong route?";
    case ProbeFailure::kConnectTimeout:
      return "is the host down, is there a firewall or a wrong route?";
    case ProbeFailure::kAnswerTimeout:
      return "it accepts connections but does not answer: is it frozen, or does it wait for its storage?";
    case ProbeFailure::kClosed:
    case ProbeFailure::kReset:
      return ended_advice(node);
  }
  return {};
}

// A listener with x_forwarded_for_authorized_addrs answers 400 to what it does not accept, health included
// (V and B: http/handler.go, WrapForwardedForHandler).
std::string_view forwarded_for_advice(const NodeSetUp& node, std::string_view problem) {
  if (contains(problem, "not authorized"))
    return "add this host's address to the listener's x_forwarded_for_authorized_addrs";
  if (contains(problem, "missing") && !node.sends_forwarded_for) {
    return "an http listener (--mode http) with forwarded_for sends it, or send_proxy; else set "
           "x_forwarded_for_reject_not_present = false there";
  }
  if (contains(problem, "hops to skip"))
    return "its x_forwarded_for_hop_skips wants longer lists: set forwarded_for_hops to one more than that";
  return "see the listener's x_forwarded_for_ settings (hop_skips, authorized_addrs)";
}

std::string_view error_advice(const NodeSetUp& node, int status, std::string_view problem) {
  if (contains(lower_ascii(problem), "x-forwarded-for")) return forwarded_for_advice(node, problem);
  const bool is_https_port = contains(problem, "HTTP request to an HTTPS server");
  if (!node.is_tls && (status == 400 || is_https_port))
    return "plain HTTP on a TLS port? then write https:// in its URL";
  if (contains(problem, "quota")) return "a rate limit of the node counts health requests: exempt sys/health";
  return "is it Vault that listens there, and not a web server or another balancer?";
}

std::string with_advice(const NodeSetUp& node, std::string_view what, std::string_view advice) {
  if (node.port == kClusterPort) advice = kClusterPortAdvice;
  const std::string clause = advice.empty() ? std::string(what) : fmt::format("{}; {}", what, advice);
  return printable(clause, kMaxAdviceBytes);
}

}  // namespace

std::string explain_silence(const NodeSetUp& set_up, std::optional<cluster::ProbeFailure> failure,
                            std::string_view message) {
  constexpr std::size_t kMaxMessageBytes = 400;  // leaves room for the advice
  return with_advice(set_up, message.substr(0, kMaxMessageBytes), silence_advice(set_up, failure, message));
}

std::string explain_error(const NodeSetUp& set_up, int status, std::string_view problem) {
  return with_advice(set_up, problem, error_advice(set_up, status, problem));
}

}  // namespace bellwether::vault
