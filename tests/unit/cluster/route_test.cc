// Whom a request goes to, by view and by what it accepts: one row for each case.
#include "bellwether/cluster/route.h"

#include <string>
#include <vector>

#include "catch.hpp"

namespace bellwether::cluster {
namespace {

const NodeId kN1{0};
const NodeId kN2{1};
const NodeId kN3{2};

// Nodes in those roles, which answer, and no leader.
View leaderless(std::vector<Role> roles) {
  View view;
  view.hold = HoldReason::kNoLeader;
  view.epoch = 3;
  for (const Role role : roles) {
    NodeView& node = view.nodes.add({static_cast<std::uint32_t>(view.nodes.size())});
    node.role = role;
    node.up = true;
  }
  return view;
}

// n1 leads, n2 and n3 are its standbys.
View led(HoldReason hold = HoldReason::kNone) {
  View view = leaderless({Role::kActive, Role::kStandby, Role::kStandby});
  view.leader = kN1;
  view.hold = hold;
  view.suspect = hold == HoldReason::kSuspect;
  view.idle = hold == HoldReason::kIdle;
  return view;
}

template <typename Change>
View with(View view, Change change) {
  change(view);
  return view;
}

View starting() {
  return with(leaderless({Role::kUnknown, Role::kUnknown}), [](View& v) { v.hold = HoldReason::kStarting; });
}

// "n1", "hold suspect", "refuse 2 n3".
std::string said(const Route& route) {
  const auto name = [](NodeId node) { return "n" + std::to_string(node.number + 1); };
  if (const auto* send = std::get_if<SendTo>(&route)) return name(send->node);
  if (const auto* hold = std::get_if<Hold>(&route)) return "hold " + std::string(to_text(hold->reason));
  const auto& refuse = std::get<Refuse>(route);
  const std::string reason = std::to_string(static_cast<int>(refuse.reason));
  return "refuse " + reason + (refuse.node ? " " + name(*refuse.node) : "");
}
std::string refused(RefuseReason reason, std::optional<NodeId> node = std::nullopt) {
  return said(Refuse{reason, node});
}

struct Row {
  const char* what;
  View view;
  RouteRequest request;
  std::string route;
};

void check(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    CAPTURE(row.what);
    CHECK(said(choose(row.view, row.request)) == row.route);
    CHECK(node_of(choose(row.view, row.request)).has_value() == (row.route[0] == 'n'));
  }
}

constexpr AdminState kAdminStates[] = {AdminState::kReady, AdminState::kDrain, AdminState::kMaint};

}  // namespace

TEST_CASE("what only the leader may have goes to it, or waits for it", "[cluster][route]") {
  check({
      {"somebody leads", led(), {}, "n1"},
      {"the leader was tried before", led(), {.tried = {&kN1, 1}}, "n1"},
      {"suspect", led(HoldReason::kSuspect), {}, "hold suspect"},
      {"paused", led(HoldReason::kPaused), {}, "hold paused"},
      {"idle", led(HoldReason::kIdle), {}, "hold idle"},
      {"a conflict that is held", led(HoldReason::kConflict), {}, "hold conflict"},
      {"nobody leads", leaderless({Role::kStandby, Role::kSealed}), {}, "hold no_leader"},
      {"no node was heard yet", starting(), {}, "hold starting"},
      {"before the first view", View{}, {}, "hold starting"},
      {"the view is outdated", led(), {.view_is_outdated = true}, "hold idle"},
      {"outdated and suspect", led(HoldReason::kSuspect), {.view_is_outdated = true}, "hold suspect"},
  });
}

TEST_CASE("where the hold is full a merely suspect leader is better than a refusal", "[cluster][route]") {
  const RouteRequest full{.hold_is_full = true};
  const std::string no_room = refused(RefuseReason::kHoldIsFull);
  check({
      {"suspect", led(HoldReason::kSuspect), full, "n1"},
      {"suspect and paused", with(led(HoldReason::kPaused), [](View& v) { v.suspect = true; }), full, no_room},
      {"idle", led(HoldReason::kIdle), full, no_room},
      {"a conflict", led(HoldReason::kConflict), full, no_room},
      {"it waits for its turn", led(), full, no_room},
      {"nobody leads", leaderless({Role::kStandby}), full, no_room},
      {"outdated", led(HoldReason::kSuspect), {.hold_is_full = true, .view_is_outdated = true}, no_room},
  });
}

TEST_CASE("what every node answers for itself goes to the leader, else to the first that answers", "[cluster][route]") {
  const RouteRequest any{.accepts = Accepts::kAnyNode};
  const View sealed = leaderless({Role::kSealed, Role::kSealed, Role::kSealed});
  const std::vector<NodeId> first{kN1};
  const std::vector<NodeId> first_and_third{kN1, kN3};
  const std::vector<NodeId> second_and_third{kN2, kN3};
  const std::string nobody = refused(RefuseReason::kNoNodeAnswers);
  const RouteRequest after_first{.accepts = Accepts::kAnyNode, .tried = first};
  const View suspect = led(HoldReason::kSuspect);
  check({
      {"somebody leads", with(led(), [](View& v) { v.leader = kN2; }), any, "n2"},
      {"paused", led(HoldReason::kPaused), any, "n1"},
      {"idle", led(HoldReason::kIdle), any, "n1"},
      {"outdated", led(), {.accepts = Accepts::kAnyNode, .view_is_outdated = true}, "n1"},
      {"the leader did not answer", led(), after_first, "n2"},
      {"a suspect leader is the last", suspect, any, "n2"},
      {"but it is asked", suspect, {.accepts = Accepts::kAnyNode, .tried = second_and_third}, "n1"},
      {"once", suspect, {.accepts = Accepts::kAnyNode, .tried = {}}, "n2"},
      {"nobody leads", sealed, any, "n1"},
      {"nor answered the first", sealed, after_first, "n2"},
      {"the second is down", with(sealed, [](View& v) { v.nodes[1].up = false; }), after_first, "n3"},
      {"one is left", sealed, {.accepts = Accepts::kAnyNode, .tried = first_and_third}, "n2"},
      {"none is left", leaderless({Role::kSealed}), after_first, nobody},
      {"which nodes are ours is not known", starting(), any, "hold starting"},
  });
}

TEST_CASE("what the UI asks before login is the leader's, and any node's while nobody leads", "[cluster][route]") {
  const RouteRequest ui{.accepts = Accepts::kLeaderOrAnyNode};
  check({
      {"somebody leads", led(), ui, "n1"},
      {"suspect", led(HoldReason::kSuspect), ui, "hold suspect"},
      {"starting", starting(), ui, "hold starting"},
      {"nobody leads", leaderless({Role::kSealed, Role::kSealed}), ui, "n1"},
  });
}

TEST_CASE("a role is looked for in the order of the configuration, while nobody leads", "[cluster][route]") {
  const std::vector<NodeId> second{kN2};
  const View mixed = leaderless({Role::kUninitialized, Role::kSealed, Role::kSealed});
  const std::string none = refused(RefuseReason::kNoNodeInRole);
  check({
      {"somebody leads", led(), {.accepts = Accepts::kLeaderOrRole, .role = Role::kStandby}, "n1"},
      {"suspect",
       led(HoldReason::kSuspect),
       {.accepts = Accepts::kLeaderOrRole, .role = Role::kStandby},
       "hold suspect"},
      {"the first in that role", mixed, {.accepts = Accepts::kLeaderOrRole, .role = Role::kSealed}, "n2"},
      {"the next", mixed, {.accepts = Accepts::kLeaderOrRole, .role = Role::kSealed, .tried = second}, "n3"},
      {"nobody says so", mixed, {.accepts = Accepts::kLeaderOrRole, .role = Role::kStandby}, none},
  });
}

TEST_CASE("an init goes to the first node only if all have said that they are uninitialized", "[cluster][route]") {
  const RouteRequest init{.accepts = Accepts::kLeaderOrInit};
  const View all = leaderless({Role::kUninitialized, Role::kUninitialized, Role::kUninitialized});
  const auto second = [&](Role role, bool up = true) {
    return with(all, [&](View& v) {
      v.nodes[1].role = role;
      v.nodes[1].up = up;
    });
  };
  check({
      {"somebody leads", led(), init, "n1"},
      {"all say so", all, init, "n1"},
      {"the first is in maintenance", with(all, [](View& v) { v.nodes[0].admin = AdminState::kMaint; }), init, "n2"},
      {"one is sealed", second(Role::kSealed), init, refused(RefuseReason::kAlreadyInitialized, kN2)},
      {"one is silent", second(Role::kSilent), init, refused(RefuseReason::kNodeUnheard, kN2)},
      {"one is down", second(Role::kUninitialized, false), init, refused(RefuseReason::kNodeUnheard, kN2)},
      {"one is no Vault", second(Role::kError), init, refused(RefuseReason::kNodeUnheard, kN2)},
      {"one was not heard yet", second(Role::kUnknown), init, refused(RefuseReason::kNodeUnheard, kN2)},
      {"none is in service",
       with(all,
            [](View& v) {
              for (NodeView& node : v.nodes) node.admin = AdminState::kDrain;
            }),
       init, refused(RefuseReason::kNoNodeAnswers)},
  });
}

TEST_CASE("over a connection that exists a request goes to its node or nowhere", "[cluster][route]") {
  const RouteRequest to_first{.connected_to = kN1};
  const std::string over = refused(RefuseReason::kLeadIsOver);
  const auto drained = [](Role role) {
    return with(leaderless({role, Role::kStandby}), [](View& v) { v.nodes[0].admin = AdminState::kDrain; });
  };
  check({
      {"it leads", led(), to_first, "n1"},
      {"a pause concerns new connections", led(HoldReason::kPaused), to_first, "n1"},
      {"suspect in a pause", with(led(HoldReason::kPaused), [](View& v) { v.suspect = true; }), to_first,
       "hold paused"},
      {"suspect", led(HoldReason::kSuspect), to_first, "hold suspect"},
      {"idle", led(HoldReason::kIdle), to_first, "hold idle"},
      {"a conflict that is held", led(HoldReason::kConflict), to_first, "hold conflict"},
      {"in maintenance", with(led(), [](View& v) { v.nodes[0].admin = AdminState::kMaint; }), to_first, over},
      {"another leads", with(led(), [](View& v) { v.leader = kN2; }), to_first, over},
      {"it claims, and another answer is awaited", leaderless({Role::kActive, Role::kStandby}), to_first,
       "hold no_leader"},
      {"suspect in drain", with(led(HoldReason::kSuspect), [](View& v) { v.nodes[0].admin = AdminState::kDrain; }),
       to_first, "hold suspect"},
      {"it has denied", leaderless({Role::kStandby, Role::kStandby}), to_first, over},
      {"it is merely silent", leaderless({Role::kSilent, Role::kStandby}), to_first, "hold no_leader"},
      {"in drain it serves its clients", drained(Role::kActive), to_first, "n1"},
      {"unless it claims no more", drained(Role::kSilent), to_first, "hold no_leader"},
      {"or another leads", with(drained(Role::kActive), [](View& v) { v.leader = kN2; }), to_first, over},
      {"no such node", led(), {.connected_to = NodeId{7}}, over},
  });
}

TEST_CASE("a node of another cluster or out of service gets nothing that any node may have, whatever it says",
          "[cluster][route]") {
  for (const Role role : {Role::kSealed, Role::kUninitialized, Role::kForeign, Role::kSilent, Role::kActive}) {
    for (const AdminState admin : kAdminStates) {
      for (const bool is_ours : {true, false}) {
        for (const bool up : {true, false}) {
          View view = leaderless({role});
          view.nodes[0].admin = admin;
          view.nodes[0].is_ours = is_ours;
          view.nodes[0].up = up;
          CAPTURE(to_text(role), to_text(admin), is_ours, up);
          const bool may = is_ours && up && admin == AdminState::kReady && role != Role::kForeign;
          for (const Accepts accepts : {Accepts::kAnyNode, Accepts::kLeaderOrAnyNode, Accepts::kLeaderOrRole}) {
            CHECK(node_of(choose(view, {.accepts = accepts, .role = role})).has_value() == may);
          }
        }
      }
    }
  }
}

TEST_CASE("what was chosen by an earlier view holds while its node leads undoubted, or serves clients",
          "[cluster][route]") {
  CHECK(may_still_go(led(), Accepts::kLeader, kN1));
  CHECK(may_still_go(led(HoldReason::kPaused), Accepts::kLeader, kN1));
  CHECK_FALSE(may_still_go(led(HoldReason::kSuspect), Accepts::kLeader, kN1));
  CHECK_FALSE(may_still_go(led(), Accepts::kLeader, kN2));
  CHECK_FALSE(may_still_go(leaderless({Role::kActive}), Accepts::kLeader, kN1));
  CHECK(may_still_go(led(HoldReason::kSuspect), Accepts::kAnyNode, kN2));
  const View in_maintenance = with(led(), [](View& v) { v.nodes[1].admin = AdminState::kMaint; });
  CHECK_FALSE(may_still_go(in_maintenance, Accepts::kAnyNode, kN2));
  constexpr NodeId kRemoved{9};
  CHECK_FALSE(may_still_go(led(), Accepts::kAnyNode, kRemoved));
  CHECK_FALSE(may_still_go(led(), Accepts::kLeader, kRemoved));
  CHECK(may_still_go(View{}, Accepts::kAnyNode, kN1));  // before the first view
}

TEST_CASE("a client does not stay with a node that was removed", "[cluster][route]") {
  CHECK_FALSE(may_stay(led(), NodeId{9}));
  CHECK(choose(led(), {.connected_to = NodeId{9}}) == Route(Refuse{RefuseReason::kLeadIsOver}));
}

TEST_CASE("a lead ends by a denial or by another's, never by silence", "[cluster][route]") {
  CHECK(lead_of(led(), kN1) == Lead::kHas);
  CHECK(lead_of(led(HoldReason::kSuspect), kN1) == Lead::kHas);
  CHECK(lead_of(led(), kN2) == Lead::kTaken);
  CHECK(lead_of(leaderless({Role::kStandby}), kN1) == Lead::kDenied);
  CHECK(lead_of(leaderless({Role::kSilent}), kN1) == Lead::kUnknown);
  CHECK(lead_of(leaderless({}), kN1) == Lead::kUnknown);
  CHECK(leads_in(led(), kN1, 3));
  CHECK_FALSE(leads_in(led(), kN1, 2));
  CHECK_FALSE(leads_in(led(), kN2, 3));
  CHECK(is_same_term(led(), led(HoldReason::kSuspect)));
  CHECK_FALSE(is_same_term(led(), leaderless({Role::kActive})));
  CHECK_FALSE(is_same_term(led(), with(led(), [](View& v) { v.epoch = 4; })));
}

TEST_CASE("a client stays at its node until its lead is over or the node is in maint", "[cluster][route]") {
  CHECK(may_stay(led(), kN1));
  CHECK(may_stay(led(HoldReason::kSuspect), kN1));
  CHECK_FALSE(may_stay(led(), kN2));
  CHECK(may_stay(leaderless({Role::kSilent}), kN1));
  CHECK_FALSE(may_stay(leaderless({Role::kStandby}), kN1));
  CHECK(may_stay(with(led(), [](View& v) { v.nodes[0].admin = AdminState::kDrain; }), kN1));
  CHECK_FALSE(may_stay(with(led(), [](View& v) { v.nodes[0].admin = AdminState::kMaint; }), kN1));
  CHECK_FALSE(may_stay(leaderless({Role::kSilent}), NodeId{7}));
}

TEST_CASE("candidates are standbys that could win while the lead is open, and not the leader of before",
          "[cluster][route]") {
  const View open = leaderless({Role::kStandby, Role::kPerformanceStandby, Role::kSealed});
  CHECK(is_candidate(open, kN1, std::nullopt));
  CHECK(is_candidate(open, kN2, std::nullopt));
  CHECK_FALSE(is_candidate(open, kN3, std::nullopt));
  CHECK_FALSE(is_candidate(open, kN1, kN1));
  CHECK_FALSE(is_candidate(open, NodeId{7}, std::nullopt));
  CHECK(is_candidate(led(HoldReason::kSuspect), kN2, kN1));
  CHECK_FALSE(is_candidate(led(), kN2, kN1));
  CHECK_FALSE(is_candidate(led(HoldReason::kPaused), kN2, kN1));
}

}  // namespace bellwether::cluster
