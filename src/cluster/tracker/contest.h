#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "bellwether/base/ids.h"
#include "bellwether/base/time.h"
#include "bellwether/cluster/tracker_options.h"
#include "cluster/evidence/journal.h"
#include "cluster/evidence/members.h"
#include "cluster/evidence/node_probes.h"
#include "cluster/evidence/statements.h"
#include "leadership.h"

namespace bellwether::cluster {

// Two nodes claim to lead: the leader and a challenger, which must not simply replace it. Decides by the probes of the
// leader, and by what all nodes state, which of the two leads. Succession carries the ruling out.
class Contest {
 public:
  // What it is judged by.
  struct Evidence {
    const Members& members;
    const Statements& statements;
    const Leadership& leadership;
    const NodeProbes& leader_probes;
    const TrackerOptions& options;
  };

  enum class Verdict : std::uint8_t {
    kUndecided,  // the leader stays
    kOneServer,  // the challenger is another name of the leader's server
    kChallengerLeads,
  };
  struct Ruling {
    Verdict verdict = Verdict::kUndecided;
    std::string why{};         // of a decision
    std::string outcome{};     // of kOneServer: how the contest ended
    bool by_majority = false;  // of kChallengerLeads: most nodes name it
    // Of kUndecided: whether a majority names the leader, once that is known.
    std::optional<bool> leader_is_followed{};
    bool ask_again = false;  // of kUndecided: all nodes are to be asked anew whom they follow
  };

  // REQUIRES: there is a leader, and the challenger is another node
  Contest(NodeId challenger, const Leadership& leadership, TimePoint now);

  [[nodiscard]] NodeId challenger() const { return challenger_; }
  [[nodiscard]] Epoch epoch() const { return epoch_; }
  [[nodiscard]] TimePoint begun() const { return begun_; }
  // The leader, asked after the contest began, claims too, and they are two servers: not just a change that the leader
  // has not told of yet.
  [[nodiscard]] bool is_conflict() const { return is_conflict_; }

  // All nodes were asked whom they follow.
  void note_asked(TimePoint now) { asked_at_ = now; }
  // The leader claims, asked at `sent`. True if it was asked after the contest began.
  bool note_leader_claim(TimePoint sent);
  // Our own process stood still until now.
  void excuse_stop(TimePoint now) { patience_from_ = now; }

  // Tells of the conflict, once, as soon as it is one.
  void report_conflict_if_due(const Evidence& evidence, TimePoint now, Journal& journal);
  [[nodiscard]] Ruling judge(const Evidence& evidence, TimePoint now, Journal& journal);
  // When it is to be judged again if nothing happens until then.
  [[nodiscard]] TimePoint due(const Evidence& evidence, TimePoint now) const;

 private:
  [[nodiscard]] std::optional<Ruling> find_one_server(const Evidence& evidence) const;
  [[nodiscard]] Ruling count_statements(const Evidence& evidence, TimePoint now) const;
  [[nodiscard]] bool claims_and_follows(const Evidence& evidence) const;
  [[nodiscard]] bool challenger_rose(const Evidence& evidence) const;
  [[nodiscard]] TimePoint leader_patience_over(const Evidence& evidence) const;
  [[nodiscard]] std::string in_numbers(const Evidence& evidence) const;

  NodeId leader_;
  NodeId challenger_;
  Epoch epoch_;  // of the leader
  TimePoint leader_since_;
  TimePoint begun_;
  TimePoint patience_from_;          // the leader's lateness counts from here at the earliest
  TimePoint asked_at_;               // /v1/sys/leader, last
  bool leader_claims_anew_ = false;  // since it began
  bool is_conflict_ = false;
};

}  // namespace bellwether::cluster
