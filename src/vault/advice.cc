#include "bellwether/vault/advice.h"

#include <fmt/format.h>

#include "bellwether/base/text.h"
#include "bellwether/vault/trouble.h"
#include "classify.h"

namespace bellwether::vault {
namespace {

constexpr std::string_view kClusterPortAdvice =
    "8201 is usually the port that nodes use among themselves (cluster_addr): is the API not at 8200?";

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

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

std::string_view client_certificate_advice(const NodeSetUp& node) {
  return node.has_client_cert ? "the node accepts only certificates of its own CA: is client_cert issued by it?"
                              : "name one with client_cert and client_key (--client-cert, --client-key)";
}

std::string_view name_advice(const NodeSetUp& node) {
  return node.has_server_name ? "correct server_name (--server-name), or the node's URL"
                              : "if all nodes share one name, set server_name (--server-name NAME)";
}

std::string remedy_for(Trouble trouble, const NodeSetUp& node, std::string_view text) {
  switch (trouble) {
    case Trouble::kRefused:
      return "is Vault running there, and is the port right?";
    case Trouble::kConnectTimeout:
      return "is the host down, is there a firewall or a wrong route?";
    case Trouble::kUnresolved:
      return "is the name spelled right, and known to DNS or /etc/hosts here?";
    case Trouble::kUnreachable:
      return "is there a firewall or a wrong route?";
    case Trouble::kAnswerTimeout:
      return "it accepts connections but does not answer: is it frozen, or does it wait for its storage?";
    case Trouble::kEnded:
      return ended_advice(node);
    case Trouble::kNotHttp:
      return node.is_tls ? "is it Vault that listens there?" : "does it speak TLS? then write https:// in its URL";
    case Trouble::kWrongName:
      return std::string(name_advice(node));
    case Trouble::kUnknownCa:
      return node.has_ca ? "set ca_file (--ca-file) to the CA that issued it"
                         : "name the CA that issued it with ca_file (--ca-file FILE)";
    case Trouble::kCertificateTime:
      return "renew the node's certificate";
    case Trouble::kClientCertificate:
      return std::string(client_certificate_advice(node));
    case Trouble::kNotTls:
      return "write http:// in the node's URL, or correct its port";
    case Trouble::kOtherTls:
      return {};
    case Trouble::kTlsPort:
      return "plain HTTP on a TLS port? then write https:// in its URL";
    case Trouble::kForwardedFor:
      return std::string(forwarded_for_advice(node, text));
    case Trouble::kQuota:
      return "a rate limit of the node counts health requests: exempt sys/health";
    case Trouble::kGateway:
      return "a balancer or proxy answers in its place, and not Vault: name the node's own address";
    case Trouble::kContradiction:
      return "a balancer or proxy on the way changes its answers: name the node's own address";
    case Trouble::kNotVault:
      return "is it Vault that listens there, and not a web server or another balancer?";
  }
  return {};
}

Advice advice(Trouble trouble, const NodeSetUp& node, std::string_view text) {
  constexpr std::size_t kMaxCauseBytes = 400;  // leaves room for the remedy
  const std::string remedy =
      node.port == kClusterPort ? std::string(kClusterPortAdvice) : remedy_for(trouble, node, text);
  return {trouble, printable(text, kMaxCauseBytes), remedy};
}

}  // namespace

std::string Advice::to_string() const {
  return printable(remedy.empty() ? cause : fmt::format("{}; {}", cause, remedy), kMaxAdviceBytes);
}

Advice advise_on_silence(const NodeSetUp& set_up, std::optional<cluster::ProbeFailure> failure,
                         std::string_view message) {
  return advice(trouble_of_silence(failure, message), set_up, message);
}

Advice advise_on_answer(const NodeSetUp& set_up, int status, std::string_view problem) {
  return advice(trouble_of_answer(set_up, status, problem), set_up, problem);
}

std::string explain_silence(const NodeSetUp& set_up, std::optional<cluster::ProbeFailure> failure,
                            std::string_view message) {
  return advise_on_silence(set_up, failure, message).to_string();
}

std::string explain_error(const NodeSetUp& set_up, int status, std::string_view problem) {
  return advise_on_answer(set_up, status, problem).to_string();
}

}  // namespace bellwether::vault
