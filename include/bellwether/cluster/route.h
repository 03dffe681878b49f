#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <variant>

#include "bellwether/base/ids.h"
#include "bellwether/cluster/view.h"

// To which node a request goes, by a view: the one place that decides it. Pure. What else a request needs before it is
// sent (room to dial, its turn, a view that is fresh enough) is the proxy's.
namespace bellwether::cluster {

// What a request may go to. No kind of request goes to a node of another cluster or, unless it leads, to one that is
// out of service. To add a kind: a value here, a row in route.cc, its rows in tests/unit/cluster/route_test.cc.
enum class Accepts : std::uint8_t {
  kLeader,           // nothing but the leader
  kAnyNode,          // any node that answers: a question that each answers for itself
  kLeaderOrAnyNode,  // the leader; any node that answers while nobody leads
  kLeaderOrRole,     // the leader; while nobody leads, a node that answers and says RouteRequest::role
  kLeaderOrInit,     // the leader; while nobody leads, the first node, if all have said that they are uninitialized
};

struct RouteRequest {
  Accepts accepts = Accepts::kLeader;
  Role role = Role::kUnknown;          // of kLeaderOrRole
  std::span<const NodeId> tried = {};  // not these, though they would do
  // The client speaks over a connection to this node that exists (tcp): the request goes there or nowhere. A pause
  // concerns new connections only, and a node in drain serves its clients until another node leads.
  std::optional<NodeId> connected_to = std::nullopt;
  // It would have to wait, and there is no room for it: a leader that is merely suspect is better than a refusal.
  bool hold_is_full = false;
  // Another epoch has begun, or the view is older than a stop of our own: nobody leads by it for sure.
  bool view_is_outdated = false;
};

struct SendTo {
  NodeId node;
  friend bool operator==(const SendTo&, const SendTo&) = default;
};
// It waits for another view, or for this one to be fresh again.
struct Hold {
  HoldReason reason{};
  friend bool operator==(const Hold&, const Hold&) = default;
};
enum class RefuseReason : std::uint8_t {
  kHoldIsFull,
  kNoNodeAnswers,       // none that is ours, in service and untried
  kNoNodeInRole,        // likewise
  kNodeUnheard,         // Refuse::node has not said yet whether it is initialized
  kAlreadyInitialized,  // Refuse::node says so
  kLeadIsOver,          // the client is connected to a node that leads no more
};
struct Refuse {
  RefuseReason reason{};
  std::optional<NodeId> node = std::nullopt;
  friend bool operator==(const Refuse&, const Refuse&) = default;
};
using Route = std::variant<SendTo, Hold, Refuse>;

[[nodiscard]] Route choose(const View& view, const RouteRequest& request);
// The node that it is sent to, if it is.
[[nodiscard]] std::optional<NodeId> node_of(const Route& route);

// Whether such a request is the leader's now: it waits for one where there is none.
[[nodiscard]] bool is_for_leader(const View& view, Accepts accepts);
// Whether such a request may still go to the node that was chosen for it by an earlier view, and has not had a byte of
// it. Not to a leader that is suspect: packets may have been lost, and the kernel repeats them late. Not to a node that
// the view does not know, but for a view from before the first one.
[[nodiscard]] bool may_still_go(const View& view, Accepts accepts, NodeId node);

// What a node's lead is, as far as it had one.
enum class Lead : std::uint8_t {
  kHas,      // it leads
  kUnknown,  // nobody leads, and it has said nothing against it: silence ends no lead
  kDenied,   // nobody leads, and it says that it does not
  kTaken,    // another node leads
};
[[nodiscard]] Lead lead_of(const View& view, NodeId node);
// Whether a client that is connected to the node stays there: its lead is not over as far as is known (a session runs
// on a node only because that node once led), and the operator has not put it into maint. Not on a node that the view
// does not know.
[[nodiscard]] bool may_stay(const View& view, NodeId node);
// It leads, in that epoch.
[[nodiscard]] bool leads_in(const View& view, NodeId node, Epoch epoch);
// The same leader in the same epoch, or nobody in both.
[[nodiscard]] bool is_same_term(const View& a, const View& b);
// The lead is open, and that node could take it: connections to it are worth opening in advance. Not `former`, the
// leader of before.
[[nodiscard]] bool is_candidate(const View& view, NodeId node, std::optional<NodeId> former);

}  // namespace bellwether::cluster
