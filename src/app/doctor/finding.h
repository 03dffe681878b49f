#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bellwether::app {

// What `bellwether check` may find. The value is the number in the id that people see ("BW007"), and is never given to
// another finding: one that is no longer made leaves its number behind.
enum class FindingId : std::uint8_t {
  kRefused = 1,
  kConnectTimeout = 2,
  kUnresolved = 3,
  kUnreachable = 4,
  kAnswerTimeout = 5,
  kEnded = 6,
  kClusterPort = 7,
  kNotVault = 8,
  kGateway = 9,
  kContradiction = 10,
  kForwardedFor = 11,
  kQuota = 12,
  kWrongName = 13,
  kUnknownCa = 14,
  kCertificateTime = 15,
  kClientCertificate = 16,
  kOtherTls = 17,
  kTlsPort = 18,
  kPlainPort = 19,
  kProxyHeaderRefused = 20,
  kProxyHeaderWanted = 21,
  kCertificateEnds = 22,
  kSealed = 23,
  kUninitialized = 24,
  kRemoved = 25,
  kDisconnected = 26,
  kDrSecondary = 27,
  kClockSkew = 28,
  kStandbyBehind = 29,
  kVersionMix = 30,
  kSameServer = 31,
  kAnotherCluster = 32,
  kNobodyLeads = 33,
  kSeveralLead = 34,
  kLeaderNotNamed = 35,
  kLeadersDiffer = 36,
  kQuorumLost = 37,
  kApiAddrLoops = 38,
  kApiAddrLoopback = 39,
  kApiAddrUnresolved = 40,
  kApiAddrOfAnother = 41,
  kOneFamily = 42,
  kOwnCertificateInvalid = 43,
  kOwnCertificateEnds = 44,
  kOwnFiles = 45,
  kNodeLeadsBack = 46,
  kNodesUnusable = 47,
  kFewDescriptors = 48,
  kLittleMemory = 49,
  kPlainListener = 50,
  kVerifyOff = 51,
  kAdminExposed = 52,
};

enum class Severity : std::uint8_t {
  kProblem,  // the check fails
  kRemark,
};
[[nodiscard]] std::string_view to_text(Severity severity);

// One row for each id: texts, JSON and conf/FINDINGS.md come from it.
struct FindingRow {
  FindingId id{};
  Severity severity{};
  std::string_view title;
  std::string_view means;    // what was seen, in whole sentences
  std::string_view matters;  // why that is worth a finding
  std::string_view remedy;   // what to do, in one sentence; a finding may have one of its own
};
[[nodiscard]] const std::vector<FindingRow>& finding_rows();  // in the order of their ids
[[nodiscard]] const FindingRow& row_of(FindingId id);
[[nodiscard]] std::string code_of(FindingId id);  // "BW007"

// Of a finding that concerns all nodes, in the place of a node's name.
inline constexpr std::string_view kWholeCluster = "cluster";

// Texts that are safe to print: what came from the network is bounded, and made visible (base/visible.h).
struct Finding {
  FindingId id{};
  std::string node;    // that it concerns; else a listener, an option, or kWholeCluster
  std::string cause;   // what was seen
  std::string remedy;  // what to do

  [[nodiscard]] Severity severity() const { return row_of(id).severity; }
  [[nodiscard]] std::string to_string() const;  // "BW007 vault2:8201: CAUSE; REMEDY"

  friend bool operator==(const Finding&, const Finding&) = default;
};

struct Diagnosis {
  std::vector<Finding> findings;

  // The row's remedy where `remedy` is empty. The same finding about the same node is added once.
  void add(FindingId id, std::string_view node, std::string_view cause, std::string_view remedy = {});
  [[nodiscard]] bool is_fine() const;  // without a problem
};

// conf/FINDINGS.md.
[[nodiscard]] std::string findings_markdown();

}  // namespace bellwether::app
