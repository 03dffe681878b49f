// A seeded cluster that misbehaves at random, and what must hold whatever it does.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bellwether/base/prng.h"
#include "bellwether/cluster/route.h"
#include "catch.hpp"
#include "world.h"

namespace bellwether::cluster::testing {
namespace {

constexpr std::size_t kNodes = 3;      // to begin with
constexpr std::size_t kMostHosts = 6;  // from which nodes are chosen when they change

// The truth about one node, which the tracker can only guess.
struct Truth {
  std::optional<Role> says = Role::kStandby;  // nothing: it keeps the probe
  std::optional<ProbeFailure> fails;
  std::string id = "ours";
  TimePoint foreign_or_denying_since{};  // last time its word changed
  TimePoint claimed_at{};                // what it was asked then may be answered so later
};

class RandomCluster {
 public:
  // `changes_nodes`: nodes are added, removed and renamed.
  explicit RandomCluster(std::uint64_t seed, bool changes_nodes)
      : prng_(seed), changes_nodes_(changes_nodes), options_(options(seed)), world_(options_, ask(), ask_leader()) {
    truth_[NodeId{0}].says = Role::kActive;
    world_.on_view = [this](const View& view) { check_view(view); };
    world_.start(TimePoint(1000s));
  }

  void step() {
    if (changes_nodes_ && prng_.chance(0.1)) {
      change_nodes();
    } else if (prng_.chance(0.05)) {
      silence_the_leader();
    } else {
      shake();
    }
    const bool was_uncontested = is_merely_silent();
    const std::optional<NodeId> leader = world_.view().leader;
    const int silences = leader ? world_.view().nodes.at(*leader).silences : 0;
    world_.events().clear();
    world_.run_for(Duration(1ms * static_cast<int>(prng_.below(60))));
    if (was_uncontested && leader && silences == 0) {
      ++silences_borne_;
      // Less than 60 ms have passed: at most one silence can have been counted, and fall is 3.
      CHECK((world_.view().leader == leader));
    }
  }

  [[nodiscard]] const View& view() const { return world_.view(); }
  // How often a leader was merely silent, and was to stay.
  [[nodiscard]] int silences_borne() const { return silences_borne_; }
  [[nodiscard]] int leaders_removed() const { return leaders_removed_; }

 private:
  static TrackerOptions options(std::uint64_t seed) {
    TrackerOptions options;
    options.topology = first_topology({{"n1", "https://n1"}, {"n2", "https://n2"}, {"n3", "https://n3"}});
    options.inter = 200ms;
    options.downinter = 200ms;
    options.idle_inter = 2s;
    options.idle_after = 1s;
    options.cluster_id = "ours";
    options.seed = seed;
    return options;
  }

  World::OnProbe ask() {
    return [this](NodeId id, TimePoint) -> std::optional<Reply> {
      const Truth& truth = truth_[id];
      const Duration after = Duration(100us * static_cast<int>(1 + prng_.below(prng_.chance(0.05) ? 2000 : 20)));
      if (truth.fails.has_value()) return Reply{after, *truth.fails};
      if (truth.says.has_value()) return Reply{after, facts(*truth.says, truth.id)};
      return std::nullopt;
    };
  }

  World::OnAskLeader ask_leader() {
    return [this](NodeId, TimePoint) -> std::optional<std::string> {
      if (prng_.chance(0.3)) return std::nullopt;
      if (prng_.chance(0.2))
        return prng_.chance(0.5) ? "is server-a" : "is server-b";  // two may be names of one server
      return prng_.chance(0.2) ? "" : "https://n" + std::to_string(1 + prng_.below(kNodes));
    };
  }

  // The leader is known to have answered lately, nobody else claims, and it has not said otherwise.
  [[nodiscard]] bool is_merely_silent() const {
    const View& view = world_.view();
    if (!view.leader.has_value()) return false;
    for (const NodeId id : nodes()) {
      const Truth& truth = truth_.at(id);
      const bool leads = id == *view.leader;
      if (leads && truth.says.has_value() && *truth.says != Role::kActive && *truth.says != Role::kError) return false;
      if (leads && truth.id != "ours") return false;
      if (!leads && (view.nodes.at(id).role == Role::kActive || truth.says == Role::kActive)) return false;
      if (!leads && world_.outstanding(id) > 0 && !truth.says.has_value())
        return false;  // may yet be released as active
      if (!leads && may_claim_yet(id)) return false;
      if (leads && view.nodes.at(id).silences > 0) return false;
      if (leads && recently_changed(id)) return false;
    }
    return true;
  }
  [[nodiscard]] bool may_claim_yet(NodeId id) const { return world_.now() - truth_.at(id).claimed_at < 250ms; }
  [[nodiscard]] bool recently_changed(NodeId id) const {
    // An answer under way may still say what it said before.
    return world_.now() - truth_.at(id).foreign_or_denying_since < 250ms;
  }

  void shake() {
    const NodeId id = nodes()[prng_.below(nodes().size())];
    Truth& truth = truth_[id];
    const std::uint64_t dice = prng_.below(100);
    if (truth.says == Role::kActive) truth.claimed_at = world_.now();
    const auto says = [&](Role role, const char* cluster = "ours") {
      truth.says = role;
      truth.fails.reset();
      truth.id = cluster;
      truth.foreign_or_denying_since = world_.now();
    };
    if (dice < 25) {
      says(Role::kActive);
    } else if (dice < 45) {
      says(Role::kStandby);
    } else if (dice < 50) {
      says(static_cast<Role>(3 + prng_.below(7)));  // any other stated role, or an error
    } else if (dice < 54) {
      says(Role::kActive, "other");
    } else if (dice < 62) {
      truth.says.reset();
      truth.fails = static_cast<ProbeFailure>(prng_.below(kProbeFailureCount));
    } else if (dice < 70) {
      truth.says.reset();
      truth.fails.reset();
    } else if (dice < 76) {
      const Role role = truth.says.value_or(prng_.chance(0.5) ? Role::kActive : Role::kStandby);
      truth.foreign_or_denying_since = world_.now();
      world_.release(id, [&](TimePoint) { return facts(role, truth.id); });
    } else {
      tell(id, dice);
    }
  }

  [[nodiscard]] std::vector<NodeId> nodes() const { return world_.view().nodes.ids(); }

  // Some of the hosts, in any order and under any name.
  void change_nodes() {
    std::vector<NodeDescription> some;
    const std::uint64_t first = prng_.below(kMostHosts);
    const std::uint64_t count = 1 + prng_.below(kMostHosts);
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::string host = "n" + std::to_string(1 + (first + i) % kMostHosts);
      if (prng_.chance(0.2)) continue;
      some.push_back({prng_.chance(0.1) ? host + "-renamed" : host, "https://" + host});
    }
    if (some.empty()) return;
    const std::optional<NodeId> leader = world_.view().leader;
    const TopologyPtr next = next_topology(*world_.view().topology, std::move(some), next_id_);
    for (const NodeId id : next->nodes.ids()) truth_.try_emplace(id);
    options_.topology = next;
    world_.tell(Reconfigure{options_});
    if (world_.view().topology != next) FAIL("the view has other nodes than it was told of");
    if (!leader || next->nodes.has(*leader)) return;
    ++leaders_removed_;
    if (world_.view().leader == leader) FAIL("led to a node that was removed");
  }

  // Whoever leads now does so undisputed for a while, then answers no more.
  void silence_the_leader() {
    const std::optional<NodeId> leader = world_.view().leader;
    for (const NodeId id : nodes()) {
      Truth& truth = truth_[id];
      if (truth.says == Role::kActive) truth.claimed_at = world_.now();
      truth = Truth{leader == id ? Role::kActive : Role::kStandby, {}, "ours", world_.now(), truth.claimed_at};
      world_.release(id, [&](TimePoint) { return facts(*truth.says, truth.id); });
    }
    world_.run_for(300ms);
    if (!leader.has_value()) return;
    Truth& silent = truth_[*leader];
    silent.says.reset();
    if (prng_.chance(0.5)) silent.fails = static_cast<ProbeFailure>(prng_.below(kProbeFailureCount));
  }

  void tell(NodeId id, std::uint64_t dice) {
    const TimePoint now = world_.now();
    if (dice < 84) {
      const Hint hint{id, world_.view().epoch - prng_.below(2), static_cast<HintKind>(prng_.below(7))};
      world_.tell(hint);
    } else if (dice < 90) {
      world_.tell(LiveAnswer{id, now - Duration(1ms)});
    } else if (dice < 95) {
      world_.tell(Traffic{});
    } else if (dice < 96) {
      world_.tell(LoopLate{60ms});
    } else if (dice < 97) {
      world_.tell(prng_.chance(0.5) ? Input(Pause{Duration(1ms * (1 + prng_.below(500)))}) : Input(Resume{}));
    } else if (dice < 99) {
      world_.tell(ExchangesWaiting{static_cast<int>(prng_.below(5)), prng_.chance(0.5)});
    } else {
      world_.tell(SetAdminState{id, static_cast<AdminState>(prng_.below(3)), false});
    }
  }

  void check_view(const View& view) {
    if (view.epoch < epoch_ || view.epoch > epoch_ + 1)
      FAIL("the epoch went from " << epoch_ << " to " << view.epoch << story());
    const bool new_leader = view.leader.has_value() && leader_.has_value() && view.leader != leader_;
    if (new_leader && view.epoch == epoch_) FAIL("two leaders in epoch " << epoch_);
    if (view.leader.has_value()) {
      leader_ = view.leader;
      const NodeView& leader = view.nodes.at(*view.leader);
      if (leader.role != Role::kActive) FAIL("led to a node that says " << to_text(leader.role));
      if (leader.admin != AdminState::kReady) FAIL("led to a node in " << to_text(leader.admin));
      if (view.leaderless_since.has_value()) FAIL("leader and leaderless");
    }
    if ((view.hold == HoldReason::kNone) != view.target().has_value()) FAIL("no hold and nowhere to send");
    if (node_of(choose(view, {})) != view.target()) FAIL("a request goes elsewhere than the view says");
    if (view.idle && view.hold != HoldReason::kIdle) FAIL("idle, and held for another reason");
    if ((view.hold == HoldReason::kNone) != view.hold_why.empty()) FAIL("holds without a word, or the contrary");
    if (view.paused_until.has_value() && view.target().has_value()) FAIL("sends while paused");
    if (view.paused_until.has_value() && *view.paused_until <= world_.now()) FAIL("paused for longer than was said");
    if (view.challenger.has_value() && view.challenger == view.leader) FAIL("the leader contests itself");
    if (view.nodes.ids() != view.topology->nodes.ids()) FAIL("the view has other nodes than its topology");
    const auto is_known = [&](std::optional<NodeId> id) { return !id.has_value() || view.nodes.has(*id); };
    if (!is_known(view.leader) || !is_known(view.challenger)) FAIL("leads to, or is contested by, a removed node");
    for (const NodeId id : view.nodes.ids()) {
      if (!is_known(view.nodes.at(id).same_as)) FAIL("another name of a removed node");
      if (world_.outstanding(id) > 2) FAIL("a third probe");
    }
    epoch_ = view.epoch;
  }

  std::string story() {
    std::string text;
    for (const Event& event : world_.events()) text += "\n  " + std::string(to_text(event.kind)) + ": " + event.why;
    return text;
  }

  Prng prng_;
  bool changes_nodes_;
  TrackerOptions options_;
  std::map<NodeId, Truth> truth_{{{0}, {}}, {{1}, {}}, {{2}, {}}};
  NodeId next_id_{kNodes};
  int leaders_removed_ = 0;
  Epoch epoch_ = 0;
  std::optional<NodeId> leader_;
  int silences_borne_ = 0;
  World world_;
};

// What 20 clusters came to in 5,000 steps each.
struct Walked {
  Epoch epochs = 0;
  int silences_borne = 0;
  int leaders_removed = 0;
};

Walked walk(std::uint64_t first_seed, bool changes_nodes) {
  Walked all;
  for (std::uint64_t seed = first_seed; seed < first_seed + 20; ++seed) {
    INFO("seed " << seed);
    RandomCluster cluster(seed, changes_nodes);
    for (int step = 0; step < 5000; ++step) cluster.step();
    all.epochs += cluster.view().epoch;
    all.silences_borne += cluster.silences_borne();
    all.leaders_removed += cluster.leaders_removed();
  }
  return all;
}

}  // namespace

TEST_CASE("whatever a cluster does, the invariants hold for 100,000 steps", "[cluster][random]") {
  const Walked walked = walk(20261121, false);
  CHECK(walked.epochs > 2000);  // it did lead, and often
  CHECK(walked.silences_borne > 3000);
}

TEST_CASE("whatever nodes are added and removed, the invariants hold for 100,000 steps", "[cluster][random]") {
  const Walked walked = walk(20261129, true);
  CHECK(walked.epochs > 2000);
  CHECK(walked.leaders_removed > 500);
}

}  // namespace bellwether::cluster::testing
