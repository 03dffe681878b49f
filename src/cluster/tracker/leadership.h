#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bellwether/base/ids.h"
#include "bellwether/base/time.h"
#include "bellwether/cluster/input.h"
#include "bellwether/cluster/observation.h"
#include "bellwether/cluster/view.h"
#include "cluster/evidence/journal.h"
#include "cluster/evidence/long_ago.h"
#include "cluster/evidence/node_state.h"

namespace bellwether::cluster {

// Why the leader in view is not sent to before it has claimed anew.
enum class ConfirmReason : std::uint8_t { kWasIdle, kStoodStill };

// A node takes the lead.
struct Election {
  NodeId node;
  TimePoint claim_sent{};
  std::string why;
  Duration contested{};      // how long it has contested the leader that it replaces
  bool by_majority = false;  // most nodes name it
};

// Which node leads or led last, since when, and what is in doubt about it: leaderless, leading, suspect, or to be
// confirmed. Each transition is one function here, which reports its event. Succession decides when one is due.
class Leadership {
 public:
  // Nobody leads from now on, and nobody ever did but `former`, under another process.
  void start(const std::optional<FormerLead>& former, TimePoint now);
  void on_former_lead(const FormerLead& former, Journal& journal);
  void elect(const Election& won, TimePoint now, Journal& journal);
  // REQUIRES of the transitions below: a leader
  void lose(const std::string& why, TimePoint now, Journal& journal);
  void suspect(const std::string& why, TimePoint now, Journal& journal);
  // The leader claims, asked at `sent`: ends what that is fresh enough for.
  void confirm(TimePoint sent, Journal& journal);
  // The leader must claim anew, asked at `since` or later, before anything is sent to it.
  void await_confirmation(ConfirmReason reason, TimePoint since);
  // While it was contested, a majority of the nodes named the leader, or did not.
  void note_followed(bool is_followed) { is_followed_ = is_followed; }
  // Exchanges on the leader wait, and none completes.
  void note_stall(int waiting, bool is_stalled, Journal& journal);
  // The node was removed. Keeps its name for the event of the next election; does not end its lead: lose() does.
  void note_removed(NodeId id, std::string_view name);

  [[nodiscard]] std::optional<NodeId> leader() const { return leader_; }
  [[nodiscard]] bool is_leader(NodeId id) const { return leader_ == id; }
  // The present or the latest one.
  [[nodiscard]] std::optional<NodeId> last_leader() const { return last_leader_; }
  [[nodiscard]] Epoch epoch() const { return epoch_; }
  [[nodiscard]] TimePoint leader_since() const { return leader_since_; }
  // When the newest claim of the present or latest leader was asked for; kLongAgo: nobody has ever led.
  [[nodiscard]] TimePoint claim_sent() const { return claim_sent_; }
  [[nodiscard]] std::optional<TimePoint> leaderless_since() const { return leaderless_since_; }
  [[nodiscard]] const std::string& why_lost() const { return why_lost_; }
  [[nodiscard]] bool is_suspect() const { return suspect_since_.has_value(); }
  [[nodiscard]] const std::string& why_suspect() const { return why_suspect_; }
  // There is a leader, and it is not suspect.
  [[nodiscard]] bool is_settled() const { return leader_.has_value() && !is_suspect(); }
  // No leader, or a suspect one, since then.
  [[nodiscard]] std::optional<TimePoint> unsettled_since() const;
  // Why the leader must claim anew; nothing if it need not.
  [[nodiscard]] std::optional<ConfirmReason> awaits_confirmation() const { return confirm_reason_; }
  [[nodiscard]] bool is_stalled() const { return is_stalled_; }

  // Evidence about a moment before the leader's own latest claim says nothing against the leader; and a leader that
  // was lost leads again only by a claim asked for since.
  [[nodiscard]] bool is_newer(NodeId id, const NodeState& candidate) const;
  // It led before, another node replaced it, and since then it has only claimed.
  [[nodiscard]] bool has_not_stood_down(const NodeState& former) const;
  // A former leader that goes on claiming though a majority follows the present one is cut off from its peers: that the
  // present one is late is no sign that it is wrong to follow. Its loss, or a majority, brings the former one back.
  [[nodiscard]] bool is_left_behind(const NodeState& former) const;

 private:
  [[nodiscard]] std::optional<TimePoint> last_claim() const;
  Event& report(EventKind kind, Journal& journal) const;

  std::optional<NodeId> leader_;
  std::optional<NodeId> last_leader_;  // the present or the latest one
  std::string removed_leader_name_;    // of last_leader_, if that was removed
  // Led under another process when this one began, since then; until somebody leads here.
  struct Led {
    NodeId node;
    TimePoint since{};
  };
  std::optional<Led> led_elsewhere_;
  Epoch epoch_ = 0;
  TimePoint leader_since_{};
  TimePoint claim_sent_ = kLongAgo;
  bool is_followed_ = false;      // a majority named the present leader when it was contested last
  bool is_stalled_ = false;       // the present leader answers health, but no exchange completes
  TimePoint lost_at_ = kLongAgo;  // when the latest leader was lost
  std::string why_lost_;
  std::optional<TimePoint> suspect_since_;
  std::string why_suspect_;  // of the present or latest suspicion
  std::optional<TimePoint> leaderless_since_;
  TimePoint confirm_since_{};  // a claim asked for since then is needed, if there is a reason
  std::optional<ConfirmReason> confirm_reason_;
};

}  // namespace bellwether::cluster
