#pragma once

#include <optional>
#include <vector>

#include "bellwether/base/node_table.h"
#include "bellwether/base/prng.h"
#include "bellwether/cluster/observation.h"
#include "cluster/evidence/journal.h"
#include "cluster/evidence/members.h"
#include "cluster/evidence/node_probes.h"
#include "hint_gate.h"

namespace bellwether::cluster {

// Which node is asked when: each by its own pace, and all of them at once where a hint or a change gives reason to.
class ProbeSchedule {
 public:
  // The seed of `options` is that of the jitter, for good.
  ProbeSchedule(const std::vector<NodeId>& nodes, const TrackerOptions& options);
  void set_options(const TrackerOptions& options);
  // A node that stays keeps its probes. end() does not find the probes of a removed node any more.
  void set_nodes(const std::vector<NodeId>& nodes);

  // REQUIRES: it is one of the nodes
  [[nodiscard]] NodeProbes& of(NodeId id) { return nodes_.at(id); }
  [[nodiscard]] const NodeProbes& of(NodeId id) const { return nodes_.at(id); }

  void ask_all_soon();
  void hurry_all();
  // A hint of the present epoch came. If nobody waits (`is_unused`), its round begins at a random moment.
  void on_hint(HintKind kind, bool is_unused, TimePoint now);
  // The leadership has changed, so the hints were right: the gaps between their rounds are short again.
  void reset_hints();
  // Our own process stood still until now.
  void excuse_stop(TimePoint now);

  struct Ended {
    NodeId node;
    TimePoint ordered{};
    bool was_late = false;
  };
  // Nothing, if no node has such a probe under way.
  std::optional<Ended> end(ProbeId probe, const TrackerOptions& options, TimePoint now);

  // Begins the rounds that hints asked for and that are due.
  void begin_due_rounds(TimePoint now);
  // Orders the probes that are due.
  void order_due(const Members& members, const PaceContext& context, const TrackerOptions& options, TimePoint now,
                 Journal& journal);
  // When the next round or probe will be due, if nothing happens until then.
  [[nodiscard]] TimePoint next_due(const Members& members, const PaceContext& context, const TrackerOptions& options,
                                   TimePoint now) const;

 private:
  void order(NodeId id, TimePoint now, Journal& journal);

  Prng prng_;
  HintGate hints_;                         // of trouble: refused, reset, redirected, ...
  HintGate slow_hints_;                    // of slowness, which may be the usual thing: it must not silence the others
  TimePoint unhurried_round_at_ = kNever;  // of a hint that came while nobody waited
  NodeTable<NodeProbes> nodes_;
  ProbeId last_probe_ = 0;
};

}  // namespace bellwether::cluster
