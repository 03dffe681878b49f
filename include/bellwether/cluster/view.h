#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bellwether/base/ids.h"
#include "bellwether/base/node_table.h"
#include "bellwether/base/time.h"
#include "bellwether/cluster/observation.h"
#include "bellwether/cluster/topology.h"

namespace bellwether::cluster {

// Why new requests wait, unsent.
enum class HoldReason : std::uint8_t {
  kNone,      // they do not: send to the leader
  kStarting,  // no node has been heard yet
  kNoLeader,
  kSuspect,   // there is a leader, but it has gone quiet; if the hold would overflow, send rather than refuse
  kConflict,  // two claim it and on_conflict is hold
  kIdle,      // nobody asked for a while, or our own process stood still: one fresh claim first
  kPaused,    // the operator's word; there is a leader, perhaps a suspect one
};
[[nodiscard]] std::string_view to_text(HoldReason reason);

struct NodeView {
  Role role = Role::kUnknown;
  bool up = false;  // answers at all, whatever its role
  AdminState admin = AdminState::kReady;
  // Nothing it has said contradicts that it belongs to our cluster. A cluster_id once stated counts on while the node
  // is silent or sealed, and states none.
  bool is_ours = true;
  TimePoint role_since{};
  int silences = 0;   // consecutive, counted at most once per inter
  int answers = 0;    // consecutive, up to rise
  HealthFacts facts;  // of the last answer
  std::optional<TimePoint> answered_at;
  Duration latency{};                   // of the last answer
  std::optional<ProbeFailure> failure;  // of the last probe, if it had no answer
  // The node has answered nothing since the probe that was sent then, and that probe is late or failed.
  std::optional<TimePoint> silent_since;
  // Why it is silent, an error or foreign, with the way out, printable: "connection refused; is Vault running there?".
  // Empty: its last probe was answered as Vault does.
  std::string cause;
  // The node whose server this is another name of: it is never led to, and no candidate.
  std::optional<NodeId> same_as;
  std::string names_leader;  // what its /v1/sys/leader last said; empty: never asked, or none

  // An unsealed standby that answers and is ready.
  [[nodiscard]] bool could_take_over() const;
  // A node of ours that is in service. Any other gets nothing from clients, whatever the request.
  [[nodiscard]] bool may_serve_clients() const;
};

// What the leader said of itself last: it led at the moment at which it was asked.
struct Claim {
  NodeId node;
  Epoch epoch = 0;
  TimePoint asked{};
  friend bool operator==(const Claim&, const Claim&) = default;
};

// An immutable picture of the cluster, handed to every worker.
struct View {
  std::uint64_t serial = 0;  // grows with each new picture
  TimePoint at{};
  std::optional<NodeId> leader;
  Epoch epoch = 0;
  TimePoint leader_since{};  // of the present leader
  // When the leader's newest claim was asked for, as of this view; later claims come separately.
  TimePoint claim_asked = TimePoint::min();
  std::optional<TimePoint> leaderless_since;
  HoldReason hold = HoldReason::kStarting;
  std::string hold_why;  // for people: "n2's probe is late"
  bool suspect = false;
  // The other node that claims to lead, while that is unresolved and the leader, asked again, claims too.
  std::optional<NodeId> challenger;
  bool idle = false;     // probing slowly; whoever brings a request must tell the tracker of Traffic first
  bool stalled = false;  // the leader answers health, but no exchange completes
  std::optional<TimePoint> paused_until;  // by the operator; `hold` may name a better reason
  std::string cluster_id;                 // pinned, or empty until learned
  TopologyPtr topology;                   // null in a view of no nodes
  NodeTable<NodeView> nodes;              // those of the topology, in its order

  // The node to send a new request to now, or nobody (hold it).
  [[nodiscard]] std::optional<NodeId> target() const { return hold == HoldReason::kNone ? leader : std::nullopt; }
  [[nodiscard]] int takeover_candidates() const;
  // "-" for a node that it has not.
  [[nodiscard]] std::string_view name(NodeId node) const {
    return topology ? topology->name(node) : std::string_view("-");
  }
};
using ViewPtr = std::shared_ptr<const View>;

}  // namespace bellwether::cluster
