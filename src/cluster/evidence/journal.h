#pragma once

#include <optional>
#include <string>

#include "bellwether/cluster/topology.h"
#include "bellwether/cluster/tracker.h"

namespace bellwether::cluster {

// The step that the call in progress will return, while its rules run. Rules only append to it; nothing is decided by
// what it holds. It stamps each event with the time of the call and the epoch of that moment.
class Journal {
 public:
  // A call begins.
  void open(Epoch epoch, TimePoint now);
  // The call ends. Its events get the names that the nodes have in `topology`, or had before they were removed.
  [[nodiscard]] Step close(const Topology& topology, const ViewPtr& view, TimePoint wake_at);

  // A new event, for the caller to fill in. The reference is good until the next one is reported.
  Event& report(EventKind kind);
  // Events reported from now on belong to this epoch.
  void enter_epoch(Epoch epoch) { epoch_ = epoch; }
  // This call replaced this topology. Events name a node that was removed as this topology does.
  void note_replaced_topology(TopologyPtr replaced);

  void order_probe(const ProbeOrder& order) { step_.probes.push_back(order); }
  void ask_leader(NodeId node) { step_.ask_leader.push_back(node); }
  void tell_claim(const Claim& claim) { step_.claim = claim; }
  // The operator's order is not carried out.
  void refuse(std::string why);

 private:
  [[nodiscard]] std::string name_of(std::optional<NodeId> node, const Topology& topology) const;

  TimePoint now_{};
  Epoch epoch_ = 0;
  TopologyPtr replaced_topology_;  // null unless this call replaced one
  Step step_;
};

}  // namespace bellwether::cluster
