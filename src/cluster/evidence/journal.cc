#include "journal.h"

#include <utility>

namespace bellwether::cluster {

void Journal::open(Epoch epoch, TimePoint now) {
  epoch_ = epoch;
  now_ = now;
}

Step Journal::close(const Topology& topology, const ViewPtr& view, TimePoint wake_at) {
  for (Event& event : step_.events) {
    event.node_name = name_of(event.node, topology);
    // The leader before may have gone long before another one was found: its name is in the event already.
    if (event.other_name.empty()) event.other_name = name_of(event.other, topology);
  }
  replaced_topology_.reset();
  step_.view = view;
  step_.wake_at = wake_at;
  return std::exchange(step_, Step{});
}

Event& Journal::report(EventKind kind) {
  Event& event = step_.events.emplace_back();
  event.kind = kind;
  event.at = now_;
  event.epoch = epoch_;
  return event;
}

void Journal::note_replaced_topology(TopologyPtr replaced) { replaced_topology_ = std::move(replaced); }

void Journal::refuse(std::string why) { step_.refused = Error{ErrorKind::kInvalid, std::move(why)}; }

std::string Journal::name_of(std::optional<NodeId> node, const Topology& topology) const {
  if (!node.has_value()) return {};
  const bool is_removed = !topology.nodes.has(*node) && replaced_topology_ != nullptr;
  return std::string(is_removed ? replaced_topology_->name(*node) : topology.name(*node));
}

}  // namespace bellwether::cluster
