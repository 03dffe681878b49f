// Replays 18 failovers of a real cluster and has the recorder say what they were.
#include <map>

#include "catch.hpp"
#include "recorded.h"
#include "replay.h"

namespace bellwether::cluster::testing {
namespace {

struct Expected {
  FailoverCause cause{};
  bool changed_leader = true;
};

// By trace. The killed follower is nobody's failover; the short freeze of a leader that led on is a record of its own.
const std::map<std::string, Expected>& expectations() {
  static const std::map<std::string, Expected> all = {
      {"postgresql-db-stop", {FailoverCause::kLostQuorum}},
      {"postgresql-hang", {FailoverCause::kHang}},
      {"postgresql-kill", {FailoverCause::kCrash}},
      {"postgresql-seal", {FailoverCause::kSeal}},
      {"postgresql-step-down", {FailoverCause::kStepDown}},
      {"postgresql-term", {FailoverCause::kStop}},
      {"raft-hang", {FailoverCause::kHang}},
      {"raft-kill", {FailoverCause::kCrash}},
      {"raft-m5-hang", {FailoverCause::kBlocked, false}},
      {"raft-m5-kill", {FailoverCause::kCrash}},
      {"raft-m5-partition", {FailoverCause::kCutOffFromPeers}},
      {"raft-m5-step-down", {FailoverCause::kStepDown}},
      {"raft-partition", {FailoverCause::kCutOffFromPeers}},
      {"raft-quorum", {FailoverCause::kLostQuorum}},
      {"raft-seal", {FailoverCause::kSeal}},
      {"raft-step-down", {FailoverCause::kStepDown}},
      {"raft-term", {FailoverCause::kStop}},
  };
  return all;
}

// What the recorder makes of one replay.
std::vector<Failover> record(const Trace& trace, int phase, bool live) {
  Replay replay(trace, phase, live);
  Recorded recorded(replay.world(), [&](NodeId node) { replay.ask_leader(node); });
  replay.run();
  return recorded.records();
}

void check_phases(const Failover& failover) {
  REQUIRE(failover.last_good.has_value());
  CHECK(*failover.last_good <= failover.first_sign);
  REQUIRE(failover.elected.has_value());
  CHECK(failover.first_sign <= *failover.elected);
  CHECK(failover.leaderless == *failover.elected - failover.first_sign);
  CHECK(!failover.sign.empty());
}

}  // namespace

TEST_CASE("the cause of every recorded failover is named, whatever the phase of the probing", "[cluster][failover]") {
  for (const Trace& trace : all_traces()) {
    const auto expected = expectations().find(trace.name());
    for (const bool live : {false, true}) {
      for (int phase = 0; phase < kPhases; ++phase) {
        INFO(trace.name() << ", phase " << phase << (live ? ", with a client" : ""));
        const std::vector<Failover> records = record(trace, phase, live);
        if (expected == expectations().end()) {
          CHECK(records.empty());
          continue;
        }
        REQUIRE(records.size() == 1);
        check_phases(records[0]);
        CHECK(records[0].changed_leader() == expected->second.changed_leader);
        CHECK(to_text(records[0].cause) == to_text(expected->second.cause));
      }
    }
  }
}

}  // namespace bellwether::cluster::testing
