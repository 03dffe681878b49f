#include <fmt/format.h>

#include "bellwether/probe/explain.h"
#include "bellwether/vault/trouble.h"
#include "diagnosis.h"
#include "rules.h"

namespace bellwether::app {
namespace {

using vault::Trouble;

constexpr Duration kMuchSkew = 5s;
constexpr Duration kDay = 24h;
constexpr Duration kSoon = 30 * kDay;

FindingId id_of(Trouble trouble) {
  switch (trouble) {
    case Trouble::kRefused:
      return FindingId::kRefused;
    case Trouble::kConnectTimeout:
      return FindingId::kConnectTimeout;
    case Trouble::kUnresolved:
      return FindingId::kUnresolved;
    case Trouble::kUnreachable:
      return FindingId::kUnreachable;
    case Trouble::kAnswerTimeout:
      return FindingId::kAnswerTimeout;
    case Trouble::kEnded:
      return FindingId::kEnded;
    case Trouble::kNotHttp:
    case Trouble::kNotVault:
      return FindingId::kNotVault;
    case Trouble::kWrongName:
      return FindingId::kWrongName;
    case Trouble::kUnknownCa:
      return FindingId::kUnknownCa;
    case Trouble::kCertificateTime:
      return FindingId::kCertificateTime;
    case Trouble::kClientCertificate:
      return FindingId::kClientCertificate;
    case Trouble::kNotTls:
      return FindingId::kPlainPort;
    case Trouble::kOtherTls:
      return FindingId::kOtherTls;
    case Trouble::kTlsPort:
      return FindingId::kTlsPort;
    case Trouble::kForwardedFor:
      return FindingId::kForwardedFor;
    case Trouble::kQuota:
      return FindingId::kQuota;
    case Trouble::kGateway:
      return FindingId::kGateway;
    case Trouble::kContradiction:
      return FindingId::kContradiction;
  }
  return FindingId::kNotVault;
}

std::optional<vault::Advice> advice_on(const Examined& node) {
  if (node.failure) {
    const auto address = net::Address::parse(node.address);
    return vault::advise_on_silence(
        node.set_up, probe::probe_failure(node.failure->failure),
        probe::message_for(node.set_up.host, address ? std::optional(*address) : std::nullopt, node.failure->message));
  }
  if (node.facts.role != cluster::Role::kError) return std::nullopt;
  return vault::advise_on_answer(node.set_up, node.facts.status, node.facts.problem);
}

// As Go's servers do.
bool says_tls(const Examined& node) { return node.facts.problem.find("an HTTPS server") != std::string::npos; }

// What another way of asking has proved is more than any guess by the text.
FindingId id_of(const Examined& node, Trouble trouble) {
  if (node.other_ways.other_preamble_works)
    return node.set_up.sends_proxy ? FindingId::kProxyHeaderRefused : FindingId::kProxyHeaderWanted;
  if (node.other_ways.tls_answers) return FindingId::kTlsPort;
  const bool is_denied = node.other_ways.was_tls_tried && trouble == Trouble::kTlsPort && !says_tls(node);
  if (is_denied) return FindingId::kNotVault;
  const bool has_port = trouble != Trouble::kUnresolved;
  return has_port && node.set_up.port == vault::kClusterPort ? FindingId::kClusterPort : id_of(trouble);
}

void check_silence(const Examined& node, const vault::Advice& advice, Diagnosis& out) {
  const FindingId id = id_of(node, advice.trouble);
  const bool is_guessed = id == FindingId::kClusterPort || id == id_of(advice.trouble);
  out.add(id, node.name, advice.cause, is_guessed ? std::string_view(advice.remedy) : std::string_view());
}

void check_role(const Examined& node, Diagnosis& out) {
  const auto add = [&](FindingId id, std::string_view cause) { out.add(id, node.name, cause); };
  switch (node.facts.role) {
    case cluster::Role::kSealed:
      return add(FindingId::kSealed, "is sealed: it cannot take over");
    case cluster::Role::kUninitialized:
      return add(FindingId::kUninitialized, "is uninitialized: it cannot take over");
    case cluster::Role::kRemoved:
      return add(FindingId::kRemoved, "was removed from its raft cluster (HTTP 530): it cannot take over");
    case cluster::Role::kDisconnected:
      return add(FindingId::kDisconnected, "is a standby that has lost its leader (HTTP 474)");
    case cluster::Role::kDrSecondary:
      return add(FindingId::kDrSecondary, "belongs to a disaster recovery secondary (HTTP 472): it serves no clients");
    case cluster::Role::kUnknown:
    case cluster::Role::kActive:
    case cluster::Role::kStandby:
    case cluster::Role::kPerformanceStandby:
    case cluster::Role::kError:
    case cluster::Role::kSilent:
    case cluster::Role::kForeign:
      return;
  }
}

void check_clock(const Examined& node, Diagnosis& out) {
  if (!node.clock_ahead || std::chrono::abs(*node.clock_ahead) <= kMuchSkew) return;
  out.add(FindingId::kClockSkew, node.name,
          fmt::format("its clock is {:.0f} s {} ours; tokens and certificates suffer from that",
                      std::abs(to_seconds(*node.clock_ahead)),
                      *node.clock_ahead > Duration::zero() ? "ahead of" : "behind"));
}

void check_certificate(const Examined& node, Diagnosis& out) {
  if (!node.certificate || !ends_soon(*node.certificate)) return;
  out.add(FindingId::kCertificateEnds, node.name,
          fmt::format("its certificate ends in {}", days_text(node.certificate->lasts)));
}

void check_families(const Examined& node, Diagnosis& out) {
  if (node.other_family.empty()) return;
  for (const OtherFamily& each : node.other_family) {
    if (!each.is_closed) return;
  }
  out.add(FindingId::kOneFamily, node.name,
          fmt::format("its name leads to {} too, where nobody answers", node.other_family.front().address));
}

}  // namespace

bool ends_soon(const CertificateLife& life) { return life.lasts < kSoon && life.lasts < life.whole / 3; }

std::string days_text(Duration lasts) {
  return lasts < 2 * kDay ? fmt::format("{} h", lasts / 1h) : fmt::format("{} days", lasts / kDay);
}

std::string cause_of(const Examined& node) {
  const auto advice = advice_on(node);
  return advice ? advice->to_string() : std::string();
}

void check_way_back(const Examined& node, Diagnosis& out) {
  if (!node.leads_back) return;
  out.add(FindingId::kNodeLeadsBack, node.name,
          fmt::format("{} leads to {}, where we listen ourselves", node.set_up.host, node.address));
}

void check_node(const Examined& node, Diagnosis& out) {
  check_way_back(node, out);
  if (node.same_as) return;
  if (const auto advice = advice_on(node)) check_silence(node, *advice, out);
  check_role(node, out);
  check_clock(node, out);
  check_certificate(node, out);
  check_families(node, out);
}

}  // namespace bellwether::app
