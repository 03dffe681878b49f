#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bellwether/base/ids.h"
#include "bellwether/base/time.h"
#include "bellwether/cluster/tracker.h"
#include "bellwether/cluster/view.h"

namespace bellwether::cluster {

// Why a leader was lost, as far as its nodes' answers tell (src/cluster/DESIGN.md, "What a failover was").
enum class FailoverCause : std::uint8_t {
  kStart,            // our own: nobody was led to before
  kStepDown,         // it says that it is a standby, and follows its successor
  kSeal,             // it says that it is sealed
  kStop,             // it cut its connections, and another led within a second: it had handed over
  kCrash,            // it cut its connections, and an election followed
  kHang,             // it took what was sent and answered nothing
  kBlocked,          // the same, and it led on: a snapshot restore, a stalled storage, a paused process
  kUnreachable,      // nothing of it reached us, though it may well have been alive
  kCutOffFromPeers,  // it answered us, but had lost its cluster
  kLostQuorum,       // too few nodes were left to elect anybody
  kOperator,         // it was taken out here: drain, maint
  kUnknown,
};
inline constexpr std::size_t kFailoverCauseCount = 12;
// "step_down", "cut_off_from_peers", ...
[[nodiscard]] std::string_view to_text(FailoverCause cause);

// What became of clients meanwhile. Counted from a little before the first sign, as that may lag behind the clients.
struct FailoverTraffic {
  std::uint64_t held = 0;     // requests and connections that waited
  std::uint64_t retried = 0;  // sent again after proof that they had not been executed
  std::uint64_t failed = 0;   // told that they failed, or may have
  std::uint64_t cut = 0;      // sessions and answers that were ended amid their course
  // Sessions in tcp mode that were ended so that their clients come back to the new leader: with nothing under way, at
  // a request that the old leader was not given, after its last answer; and in the middle of an exchange, because the
  // old leader hung or went on until drain_deadline (these are among the cut).
  std::uint64_t moved_idle = 0;
  std::uint64_t moved_at_request = 0;
  std::uint64_t moved_after_answer = 0;
  std::uint64_t moved_at_deadline = 0;

  friend FailoverTraffic operator-(const FailoverTraffic& a, const FailoverTraffic& b);
  friend bool operator==(const FailoverTraffic&, const FailoverTraffic&) = default;
};

// One failover, or a spell of a second or more in which the leader was in doubt and then led on: its epoch is the same
// before and after.
struct Failover {
  FailoverCause cause = FailoverCause::kUnknown;
  bool is_open = true;  // still going on, or its cause may yet turn out to be another
  Epoch epoch_from = 0;
  Epoch epoch_to = 0;  // 0: nobody leads yet
  std::optional<NodeId> from;
  std::optional<NodeId> to;
  std::string from_name, to_name;      // as they were called then; empty: there is none
  std::optional<TimePoint> last_good;  // the last claim of the old leader was asked for then
  TimePoint first_sign{};
  std::string sign;                        // what it was
  std::optional<TimePoint> demoted;        // the old leader stated another role
  Role demoted_to = Role::kUnknown;        // that role
  std::optional<TimePoint> elected;        // the new leader was led to, or the old one confirmed
  std::optional<TimePoint> first_success;  // of a client, under the new epoch
  std::optional<TimePoint> heard_again;    // the old leader answered after it had been silent or cut off
  Duration leaderless{};                   // first sign to elected: how long new requests waited
  FailoverTraffic traffic;

  [[nodiscard]] bool changed_leader() const { return epoch_to > epoch_from; }
  friend bool operator==(const Failover&, const Failover&) = default;
};

// What was seen between the first sign of a failover and the end of its record.
struct FailoverEvidence {
  bool was_taken_out = false;
  bool was_cut = false;       // refused, reset or closed before it stated anything
  bool had_no_route = false;  // no connection came about, before it stated anything
  bool peers_were_gone = false;
  std::optional<TimePoint> voters_missing_since;  // before the election: fewer nodes than a majority could vote
  bool voters_were_missing = false;               // ... for longer than a probe can err
  bool voters_are_back = false;                   // after it: so the election had waited for them
  bool knows_successor = false;
  std::optional<TimePoint> claimed_on_since;  // 200 to a question put under its successor's epoch
  bool claimed_on = false;                    // ... for longer than a node needs to wake up
  std::string named_at_first;                 // what its sys/leader had said before
  bool went_away = false;                     // stopped after it was demoted: nobody is left to ask
  int questions = 0;
  TimePoint next_question = kNever;

  friend bool operator==(const FailoverEvidence&, const FailoverEvidence&) = default;
};

// A failover that is still going on, or whose cause is still looked into, as one process hands it over to another.
struct OpenFailover {
  Failover failover;
  FailoverEvidence evidence;
};
struct OpenFailovers {
  std::optional<OpenFailover> going_on;  // no new leader yet. Has `from`
  std::optional<OpenFailover> watched;   // a new one leads. Has `to` and `elected`
};

// Watches the tracker and makes a record of each failover. Pure, and never asked by the tracker: what it finds decides
// nothing. Give it every step's events with a snapshot of that moment, and a snapshot whenever next_look() is due.
class FailoverRecorder {
 public:
  void on_events(const std::vector<Event>& events, const View& snapshot, const FailoverTraffic& total);
  void look(const View& snapshot, const FailoverTraffic& total);
  // Now and then while there is traffic, so that a record may count from before its first sign.
  void note_traffic(const FailoverTraffic& total, TimePoint now);
  // A client was served under that epoch, the first one.
  void on_first_success(Epoch epoch, TimePoint at);

  // kNever: nothing is going on.
  [[nodiscard]] TimePoint next_look() const;
  // Nodes whose /v1/sys/leader the tracker should be told; each call orders anew.
  [[nodiscard]] std::vector<NodeId> take_questions();
  // Those that have ended since the last call, oldest first.
  [[nodiscard]] std::vector<Failover> take_ended();
  // Those that have not, oldest first: at most two, one that goes on and one whose cause is still looked into.
  [[nodiscard]] std::vector<Failover> open() const;
  // The same with what is known of them.
  [[nodiscard]] OpenFailovers hand_over() const;
  // What another process has recorded until now, up to that epoch, and has open. It has seen more: what was recorded
  // here of the same changes is dropped. `snapshot`: of now.
  void take_over(const OpenFailovers& theirs, Epoch epoch, const View& snapshot, const FailoverTraffic& total);

 private:
  static constexpr int kMostQuestions = 3;
  using Evidence = FailoverEvidence;
  struct Record {
    Failover failover;
    Evidence evidence;
    FailoverTraffic traffic_before;
  };
  using Slot = std::optional<Record>;

  void on_event(const Event& event, const View& snapshot);
  Record& open_record(const Event& event, const View& snapshot);
  void on_elected(const Event& event, const View& snapshot);
  void on_confirmed(const Event& event);
  void gather(Record& record, const View& snapshot) const;
  void gather_voters(Record& record, const View& snapshot) const;
  void gather_from_old_leader(Record& record, const View& snapshot) const;
  void gather_after_election(Record& record, const NodeView& old, const Topology& topology) const;
  [[nodiscard]] FailoverCause judge(const Record& record, TimePoint now) const;
  [[nodiscard]] FailoverCause judge_standby(const Record& record, TimePoint now) const;
  [[nodiscard]] bool is_settled(const Record& record, TimePoint now) const;
  void ask_if_due(Record& record, const View& snapshot);
  void end(Record record);
  [[nodiscard]] static Slot slot_of(const std::optional<OpenFailover>& theirs, const FailoverTraffic& total);
  [[nodiscard]] static Record completed(Record theirs, const Record& own);
  void end_doubt(const View& snapshot);

  Slot going_on_;         // no new leader yet
  Slot watched_;          // a new one leads; what ailed the old one may still come out
  Epoch taken_over_ = 0;  // the epoch that another process had come to
  FailoverTraffic traffic_now_;
  struct {
    FailoverTraffic older, newer;
    TimePoint newer_at{};
  } traffic_before_;
  TimePoint now_{};
  std::size_t node_count_ = 0;  // in the latest snapshot
  std::vector<NodeId> questions_;
  std::vector<Failover> ended_;
};

}  // namespace bellwether::cluster
