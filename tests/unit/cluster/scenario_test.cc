// Runs every tests/unit/cluster/scenarios/*.txt: a readable story about nodes and time, and what the tracker makes of
// it. scenarios/README.md explains the words. To add one: write the file; it is found by itself.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "catch.hpp"
#include "support/paths.h"
#include "world.h"

namespace bellwether::cluster::testing {
namespace {

using Words = std::vector<std::string>;

std::optional<Role> role_from(const std::string& word) {
  for (std::size_t i = 0; i < kRoleCount; ++i) {
    const Role role = static_cast<Role>(i);
    if (to_text(role) == word) return role;
  }
  return std::nullopt;
}

template <typename Kind, std::size_t kCount>
Kind kind_from(const std::string& word) {
  for (std::size_t i = 0; i < kCount; ++i) {
    if (to_text(static_cast<Kind>(i)) == word) return static_cast<Kind>(i);
  }
  FAIL("unknown word " << word);
  return Kind{};
}

// What a pretended node does from now on.
struct Behaviour {
  std::optional<Role> says;           // an answer
  std::optional<ProbeFailure> fails;  // or an end without one; neither: it keeps the probe
  Duration latency = 1ms;
  std::string id = "ours";
  std::optional<std::string> names;  // its sys/leader
};

class Scenario {
 public:
  explicit Scenario(const std::filesystem::path& file) : file_(file.filename().string()) {
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);) lines_.push_back(line);
  }

  void run() {
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      std::string line = lines_[i].substr(0, lines_[i].find('#'));
      INFO(file_ << ":" << i + 1 << ": " << lines_[i]);
      std::istringstream in(line);
      Words words;
      for (std::string word; in >> word;) words.push_back(word);
      if (!words.empty()) obey(words);
    }
    REQUIRE(checks_ > 0);
  }

 private:
  void obey(const Words& words) {
    const std::string& verb = words[0];
    if (verb == "nodes") return make_nodes(words);
    if (verb == "option") return set_option(words);
    if (verb == "start") return start();
    if (verb == "run") return world().run_for(parse_duration(words.at(1)).value());
    if (names_.count(verb) != 0) return change(node(verb), words);
    if (verb == "expect") return expect(Words(words.begin() + 1, words.end()));
    if (verb == "forget") return forget();
    if (verb == "nodes_are") return reconfigure(words);
    if (verb == "with") return note_option(words);
    tell(words);
  }

  void make_nodes(const Words& words) {
    std::vector<NodeDescription> descriptions;
    for (std::size_t i = 1; i < words.size(); ++i) {
      descriptions.push_back({words[i], "https://" + words[i] + ":8200"});
    }
    options_.topology = next_topology({}, std::move(descriptions), next_id_);
    note_names(*options_.topology);
  }

  // nodes_are NAME[=NAME]...: these are the nodes from now on; "vault1=n1" has the URL of n1 and is called vault1. A
  // name that is new is a new node, which keeps its probes until it is told to do otherwise.
  void reconfigure(const Words& words) {
    std::vector<NodeDescription> descriptions;
    for (std::size_t i = 1; i < words.size(); ++i) {
      const auto equals = words[i].find('=');
      const std::string host = equals == std::string::npos ? words[i] : words[i].substr(equals + 1);
      descriptions.push_back({words[i].substr(0, equals), "https://" + host + ":8200"});
    }
    options_.topology = next_topology(*world().view().topology, std::move(descriptions), next_id_);
    note_names(*options_.topology);
    world().tell(Reconfigure{options_});
  }

  // Names that are not in use any more still mean the node that had them last.
  void note_names(const Topology& topology) {
    for (const NodeId id : topology.nodes.ids()) names_[std::string(topology.name(id))] = id;
  }

  // After the start: the tracker is told of it at once; by "with" in place of "option", together with the next
  // nodes_are.
  void set_option(const Words& words) {
    note_option(words);
    if (world_) world().tell(Reconfigure{options_});
  }

  void note_option(const Words& words) {
    const std::map<std::string, Duration*> durations{
        {"inter", &options_.inter},           {"fastinter", &options_.fastinter},
        {"downinter", &options_.downinter},   {"idle_inter", &options_.idle_inter},
        {"idle_after", &options_.idle_after}, {"suspect_after", &options_.suspect_after}};
    const std::string& key = words.at(1);
    const std::string& value = words.at(2);
    if (durations.count(key) != 0) {
      *durations.at(key) = parse_duration(value).value();
    } else if (key == "fall") {
      options_.fall = std::stoi(value);
    } else if (key == "rise") {
      options_.rise = std::stoi(value);
    } else if (key == "on_cluster_change") {
      options_.follows_cluster_change = value != "hold";
    } else if (key == "on_conflict") {
      options_.on_conflict = value == "hold" ? OnConflict::kHold : OnConflict::kKeep;
    } else if (key == "cluster_id") {
      options_.cluster_id = value == "learned" ? "" : value;
    } else {
      FAIL("unknown option " << key);
    }
  }

  void start() {
    world_.emplace(
        options_,
        [this](NodeId id, TimePoint) -> std::optional<Reply> {
          const Behaviour& does = behaviours_[id];
          if (does.fails.has_value()) return Reply{does.latency, *does.fails};
          if (does.says.has_value()) return Reply{does.latency, facts(*does.says, does.id)};
          return std::nullopt;
        },
        [this](NodeId id, TimePoint) { return behaviours_[id].names; });
    world_->start(TimePoint(1000s));
    forget();
  }

  void change(NodeId id, const Words& words) {
    Behaviour& does = behaviours_[id];
    const std::string& verb = words.at(1);
    if (verb == "says") {
      does.fails.reset();
      does.says = role_from(words.at(2));
      REQUIRE(does.says.has_value());
      for (std::size_t i = 3; i < words.size(); ++i) set_detail(does, words[i]);
    } else if (verb == "fails") {
      does.says.reset();
      does.fails = kind_from<ProbeFailure, kProbeFailureCount>(words.at(2));
    } else if (verb == "hangs") {
      does.says.reset();
      does.fails.reset();
    } else if (verb == "releases") {  // answers what it kept: with what it says now, whenever that was asked
      does.says = role_from(words.at(2));
      world().release(
          id, [&](TimePoint) { return facts(*does.says, does.id); }, words.back() == "newest");
    } else if (verb == "cuts") {  // ends what it kept without an answer
      const auto failure = kind_from<ProbeFailure, kProbeFailureCount>(words.at(2));
      world().release(
          id, [&](TimePoint) { return failure; }, words.back() == "newest");
    } else if (verb == "names") {
      does.names = words.at(2) == "nobody" ? "" : words.at(2) == "itself" ? "self" : words.at(2);
      if (names_.count(*does.names) != 0) does.names = "https://" + *does.names + ":8200";
    } else if (verb == "is") {  // what it states of itself in sys/leader, as the one that leads
      does.names = "is " + words.at(2);
    } else {
      FAIL("a node cannot " << verb);
    }
  }

  void set_detail(Behaviour& does, const std::string& detail) {
    if (detail.rfind("id=", 0) == 0) {
      does.id = detail.substr(3);
    } else if (detail.rfind("after=", 0) == 0) {
      does.latency = parse_duration(detail.substr(6)).value();
    } else {
      FAIL("unknown detail " << detail);
    }
  }

  void tell(const Words& words) {
    const std::string& verb = words[0];
    if (verb == "hint") {  // hint KIND NODE [EPOCH]
      const Epoch epoch = words.size() > 3 ? std::stoull(words[3]) : world().view().epoch;
      world().tell(Hint{node(words.at(2)), epoch, kind_from<HintKind, 7>(words.at(1))});
    } else if (verb == "live") {  // live NODE: it answered a request that was sent this moment
      world().tell(LiveAnswer{node(words.at(1)), world().now()});
    } else if (verb == "traffic") {
      world().tell(Traffic{});
    } else if (verb == "waiting") {  // waiting N [completing]
      world().tell(ExchangesWaiting{std::stoi(words.at(1)), words.size() > 2});
    } else if (verb == "loop_late") {
      world().tell(LoopLate{parse_duration(words.at(1)).value()});
    } else if (verb == "pause") {  // pause AT_MOST
      world().tell(Pause{parse_duration(words.at(1)).value()});
    } else if (verb == "resume") {
      world().tell(Resume{});
    } else if (verb == "repin") {
      world().tell(Repin{});
    } else if (verb == "admin") {  // admin NODE STATE [force|refused]
      const std::string& last = words.back();
      const bool is_accepted =
          world().tell(SetAdminState{node(words.at(1)), *admin_state_from(words.at(2)), last == "force"});
      REQUIRE(is_accepted == (last != "refused"));
    } else {
      FAIL("unknown word " << verb);
    }
  }

  void forget() {
    world().events().clear();
    counted_.clear();
    for (const auto& [name, id] : names_) counted_[name] = world().probes(id);
  }

  void expect(const Words& words) {
    ++checks_;
    const View& view = world().view();
    const std::string& what = words.at(0);
    if (what == "leader") {
      REQUIRE(view.leader.has_value());
      CHECK(view.name(*view.leader) == words.at(1));
    } else if (what == "no" && words.at(1) == "leader") {
      CHECK_FALSE(view.leader.has_value());
    } else if (what == "epoch") {
      CHECK(view.epoch == std::stoull(words.at(1)));
    } else if (what == "sends") {
      CHECK(to_text(view.hold) == "none");
    } else if (what == "holds") {
      CHECK(to_text(view.hold) == words.at(1));
    } else if (what == "role") {
      CHECK(to_text(view.nodes.at(node(words.at(1))).role) == words.at(2));
    } else if (what == "up" || what == "down") {
      CHECK(view.nodes.at(node(words.at(1))).up == (what == "up"));
    } else if (what == "open" || what == "closed") {
      CHECK(view.nodes.at(node(words.at(1))).may_serve_clients() == (what == "open"));
    } else if (what == "challenger") {
      REQUIRE(view.challenger.has_value());
      CHECK(view.name(*view.challenger) == words.at(1));
    } else if (what == "no" && words.at(1) == "challenger") {
      CHECK_FALSE(view.challenger.has_value());
    } else if (what == "event" || (what == "no" && words.at(1) == "event")) {
      expect_event(words);
    } else if (what == "probes") {
      expect_probes(words);
    } else if (what == "outstanding") {
      CHECK(world().outstanding(node(words.at(1))) == std::stoul(words.at(2)));
    } else if (what == "cluster_id") {
      CHECK(view.cluster_id == (words.size() > 1 ? words[1] : ""));
    } else if (what == "nodes") {
      Words names;
      for (const NodeDescription& each : view.topology->nodes) names.push_back(each.name);
      CHECK(names == Words(words.begin() + 1, words.end()));
      CHECK(view.nodes.ids() == view.topology->nodes.ids());
    } else if (what == "not" && words.at(1) == "same") {
      CHECK_FALSE(view.nodes.at(node(words.at(2))).same_as.has_value());
    } else if (what == "candidates") {
      CHECK(view.takeover_candidates() == std::stoi(words.at(1)));
    } else if (what == "same") {
      CHECK(view.nodes.at(node(words.at(1))).same_as == node(words.at(2)));
    } else if (what == "stalled") {
      CHECK(view.stalled);
    } else if (what == "paused" || (what == "no" && words.at(1) == "pause")) {
      CHECK(view.paused_until.has_value() == (what == "paused"));
    } else {
      FAIL("cannot expect " << what);
    }
  }

  // expect [no] event KIND [NODE]: since the last forget
  void expect_event(const Words& words) {
    const std::size_t kind_at = words[0] == "no" ? 2 : 1;
    const bool seen = std::any_of(world().events().begin(), world().events().end(), [&](const Event& event) {
      if (to_text(event.kind) != words.at(kind_at)) return false;
      return words.size() <= kind_at + 1 || (event.node.has_value() && event.node_name == words[kind_at + 1]);
    });
    CHECK(seen == (words[0] != "no"));
  }

  // expect probes NODE LOW HIGH: asked that often since the last forget
  void expect_probes(const Words& words) {
    const int count = world().probes(node(words.at(1))) - counted_[words.at(1)];
    CHECK(count >= std::stoi(words.at(2)));
    CHECK(count <= std::stoi(words.at(3)));
  }

  World& world() {
    REQUIRE(world_.has_value());
    return *world_;
  }
  NodeId node(const std::string& name) {
    REQUIRE(names_.count(name) == 1);
    return names_[name];
  }

  std::string file_;
  std::vector<std::string> lines_;
  std::map<std::string, NodeId> names_;
  std::map<NodeId, Behaviour> behaviours_;
  NodeId next_id_;
  TrackerOptions options_;
  std::optional<World> world_;
  std::map<std::string, int> counted_;
  int checks_ = 0;
};

}  // namespace

TEST_CASE("every scenario ends as its script says", "[cluster][scenario]") {
  std::vector<std::filesystem::path> files;
  for (const auto& entry :
       std::filesystem::directory_iterator(bellwether::testing::source_dir() + "/tests/unit/cluster/scenarios")) {
    if (entry.path().extension() == ".txt") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  REQUIRE(files.size() >= 40);
  for (const std::filesystem::path& file : files) Scenario(file).run();
}

}  // namespace bellwether::cluster::testing
