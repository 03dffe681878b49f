// A contest by itself: who leads by what the nodes state, and by how long the leader is silent.
#include "cluster/tracker/contest.h"

#include "catch.hpp"

namespace bellwether::cluster {
namespace {

const TimePoint kStart = TimePoint{} + 1h;
const NodeId kLeader{0};
const NodeId kChallenger{1};
const NodeId kWitness{2};

// Three nodes that answer. The first leads since kStart and is contested by the second from one second later on.
class ContestedLeader {
 public:
  ContestedLeader()
      : members_(first_topology({{"n1", "https://n1:8200"}, {"n2", "https://n2:8200"}, {"n3", "https://n3:8200"}})) {
    for (NodeState& each : members_) each.seen.up = true;
    leadership_.elect({.node = kLeader, .claim_sent = kStart, .why = {}}, kStart, journal_);
    contest.emplace(kChallenger, leadership_, kBegun);
  }

  void state(NodeId id, const std::string& leader_address, const std::string& identity = {}) {
    LeaderStatement statement;
    statement.node = id;
    statement.received = kBegun + 1ms;
    statement.is_self = leader_address == members_.url(id);
    statement.leader_address = leader_address;
    statement.identity = identity;
    statements_.record(statement);
  }
  Contest::Ruling judge(Duration after) { return contest->judge(evidence(), kBegun + after, journal_); }
  [[nodiscard]] TimePoint due(Duration after) const { return contest->due(evidence(), kBegun + after); }

  static constexpr TimePoint kBegun = TimePoint{} + 1h + 1s;
  std::optional<Contest> contest;
  NodeProbes leader_probes;

  NodeState& challenger() { return members_.at(kChallenger); }
  Leadership& leadership() { return leadership_; }

 private:
  [[nodiscard]] Contest::Evidence evidence() const {
    return {members_, statements_, leadership_, leader_probes, options_};
  }

  TrackerOptions options_;
  Journal journal_;
  Members members_;
  Leadership leadership_;
  Statements statements_;
};

}  // namespace

TEST_CASE("a contest is undecided until the nodes have stated whom they follow", "[cluster]") {
  ContestedLeader it;
  it.state(kLeader, "https://n1:8200");
  const Contest::Ruling ruling = it.judge(1ms);
  CHECK(ruling.verdict == Contest::Verdict::kUndecided);
  CHECK_FALSE(ruling.leader_is_followed.has_value());
  CHECK_FALSE(ruling.ask_again);
  CHECK(it.due(1ms) == ContestedLeader::kBegun + 100ms);  // those that state nothing are waited for no longer
}

TEST_CASE("a challenger that a majority names leads", "[cluster]") {
  ContestedLeader it;
  it.state(kLeader, "https://n1:8200");
  it.state(kChallenger, "https://n2:8200");
  it.state(kWitness, "https://n2:8200/");
  const Contest::Ruling ruling = it.judge(1ms);
  CHECK(ruling.verdict == Contest::Verdict::kChallengerLeads);
  CHECK(ruling.by_majority);
  CHECK(ruling.why == "of 3 nodes 1 name n1 and 2 name n2");
}

TEST_CASE("a leader that a majority names stays, though the challenger rose under it", "[cluster]") {
  ContestedLeader it;
  it.challenger().rose_at = ContestedLeader::kBegun;
  it.state(kLeader, "https://n1:8200");
  it.state(kChallenger, "https://n2:8200");
  it.state(kWitness, "https://n1:8200");
  CHECK(it.judge(1ms).verdict == Contest::Verdict::kUndecided);
  CHECK(it.judge(1ms).leader_is_followed == true);
  CHECK_FALSE(it.judge(999ms).ask_again);
  CHECK(it.judge(1s).ask_again);
}

TEST_CASE("a contested leader that leaves its probe unanswered loses to the challenger", "[cluster]") {
  ContestedLeader it;
  it.leader_probes.order(1, 1.0, ContestedLeader::kBegun);
  CHECK(it.due(1ms) == ContestedLeader::kBegun + 20ms);
  CHECK(it.judge(19ms).verdict == Contest::Verdict::kUndecided);
  CHECK(it.judge(20ms).verdict == Contest::Verdict::kChallengerLeads);
  CHECK(it.judge(20ms).why == "n1 does not answer");

  SECTION("a challenger that led before, and may just have woken, must wait for longer") {
    it.challenger().replaced_at = kStart;
    CHECK(it.judge(99ms).verdict == Contest::Verdict::kUndecided);
    CHECK(it.judge(100ms).verdict == Contest::Verdict::kChallengerLeads);
  }
  SECTION("a challenger that a majority has left behind does not win by the silence of its successor") {
    it.challenger().replaced_at = kStart;
    it.leadership().note_followed(true);
    CHECK(it.judge(100ms).verdict == Contest::Verdict::kUndecided);
  }
}

TEST_CASE("two nodes that state one identity are one server", "[cluster]") {
  ContestedLeader it;
  it.state(kLeader, "https://n1:8200", "api, cluster, time");
  it.state(kChallenger, "https://n2:8200", "api, cluster, time");
  CHECK(it.judge(1ms).verdict == Contest::Verdict::kOneServer);
  CHECK(it.judge(1ms).outcome == "both are names of one server");
}

TEST_CASE("a contest is a conflict only once the leader, asked after it began, claims too", "[cluster]") {
  ContestedLeader it;
  it.state(kLeader, "https://n1:8200");
  it.state(kChallenger, "https://n2:8200");
  CHECK_FALSE(it.contest->note_leader_claim(ContestedLeader::kBegun - 1ms));
  (void)it.judge(200ms);
  CHECK_FALSE(it.contest->is_conflict());
  CHECK(it.contest->note_leader_claim(ContestedLeader::kBegun));
  (void)it.judge(201ms);
  CHECK(it.contest->is_conflict());
}

}  // namespace bellwether::cluster
