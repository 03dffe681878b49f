#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "bellwether/cluster/tracker.h"

namespace bellwether::cluster::testing {

// How one probe ends: an answer of the node, or none.
using ProbeEnd = std::variant<HealthFacts, ProbeFailure>;
struct Reply {
  Duration after{};  // from the moment it was asked
  ProbeEnd end;
};

// A world of pretended nodes and pretended time around a real tracker: carries out its orders as the prober does, with
// one answer per probe, in time order. Nothing here waits.
class World {
 public:
  // What a node does with a probe sent now; nothing: it keeps it (release() or the deadline ends it).
  using OnProbe = std::function<std::optional<Reply>(NodeId node, TimePoint sent)>;
  // What a node's /v1/sys/leader says: an address, "" for none, "self", or "is X" of a leader with the identity X;
  // nothing: no answer.
  using OnAskLeader = std::function<std::optional<std::string>(NodeId node, TimePoint sent)>;

  World(TrackerOptions options, OnProbe on_probe, OnAskLeader on_ask_leader);

  void start(TimePoint at, const std::optional<FormerLead>& former = std::nullopt);
  void run_until(TimePoint until);
  void run_for(Duration duration) { run_until(now_ + duration); }
  // Something of the test's own at that moment.
  void at(TimePoint when, std::function<void()> what);

  // Ends what the node has kept, or only the last of it, as if it answered or cut it now.
  void release(NodeId node, const std::function<ProbeEnd(TimePoint sent)>& end, bool only_newest = false);

  [[nodiscard]] const LeaderTracker& tracker() const { return tracker_; }
  // Tells the tracker now and does what it asks for. False: it has refused an operator's order.
  bool tell(const Input& input);
  [[nodiscard]] TimePoint now() const { return now_; }
  [[nodiscard]] const View& view() const { return *tracker_.view(); }
  [[nodiscard]] std::vector<Event>& events() { return events_; }
  [[nodiscard]] int probes(NodeId node) const {
    const auto found = probes_.find(node);
    return found != probes_.end() ? found->second : 0;
  }
  [[nodiscard]] std::size_t outstanding(NodeId node) const;

  // Called with each new view, before anything else happens.
  std::function<void(const View&)> on_view;
  // Called with the events of each step that has some, after that.
  std::function<void(const std::vector<Event>&)> on_events;
  Duration timeout_check = 3s;

 private:
  struct Kept {
    NodeId node;
    TimePoint sent;
  };
  void carry_out(Step step);
  void end_probe(ProbeId probe, const ProbeEnd& end);

  LeaderTracker tracker_;
  OnProbe on_probe_;
  OnAskLeader on_ask_leader_;
  TimePoint now_{};
  TimePoint wake_at_ = kNever;
  std::multimap<TimePoint, std::function<void()>> queue_;  // of equal times, first in first out
  std::map<ProbeId, Kept> open_;
  std::vector<Event> events_;
  std::map<NodeId, int> probes_;
  ViewPtr last_view_;
};

// What a topology becomes when these are the nodes: a node with a URL that it has keeps its id, and every other one is
// a new node, with the next id from `next` on.
[[nodiscard]] TopologyPtr next_topology(const Topology& present, std::vector<NodeDescription> nodes, NodeId& next);

// Facts of a node of cluster `id`, as vault/ would give them.
[[nodiscard]] HealthFacts facts(Role role, const std::string& id = "ours");

}  // namespace bellwether::cluster::testing
