#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bellwether/base/ids.h"
#include "bellwether/base/result.h"
#include "bellwether/base/time.h"
#include "bellwether/cluster/input.h"
#include "bellwether/cluster/topology.h"
#include "tally.h"
#include "timeline.h"

namespace bellwether::app {

// A node that the operator has taken out of service.
struct NodeHandover {
  std::string name;
  cluster::AdminState admin = cluster::AdminState::kReady;
};

// What a process knows of one cluster that goes on in the one which takes its place: numbers and history, and what the
// operator has ordered. Who leads is not among it, for that the new one asks the nodes themselves. In what was read, a
// node that has a name has no id that means anything before placed_in().
struct ClusterHandover {
  std::string name;  // of the cluster
  Epoch epoch = 0;
  std::string leader;      // leads, or led last; empty: nobody has led yet
  std::string leader_url;  // another address is another node
  TimePoint since{};       // it leads since then; or nobody does
  bool is_over = false;    // nobody leads
  TallyHandover tally;
  TimelineHandover failovers;
  std::vector<NodeHandover> taken_out;    // all others are ready
  std::optional<TimePoint> paused_until;  // by the operator

  [[nodiscard]] cluster::AdminState admin_state_of(std::string_view node) const;
  // For the tracker; nothing if nobody has led.
  [[nodiscard]] std::optional<cluster::FormerLead> former_lead(const cluster::Topology& topology) const;
  // The same with the ids that nodes of these names have here.
  [[nodiscard]] ClusterHandover placed_in(const cluster::Topology& topology) const;
};

// Of a whole process.
struct Handover {
  pid_t process = 0;
  TimePoint written{};
  std::vector<ClusterHandover> clusters;

  [[nodiscard]] const ClusterHandover* find(std::string_view cluster) const;
};

inline constexpr std::size_t kMaxHandover = std::size_t{32} * 1024 * 1024;  // bytes of text

// As JSON. Moments are nanoseconds of the steady clock, which all processes of a machine share.
[[nodiscard]] std::string handover_text(const Handover& handover);

// What another version of this program may have written, or anybody else: kInvalid, with the place and the reason, if
// any part of it cannot be right. Fields that are not known are ignored. `now`: no moment is later.
[[nodiscard]] Result<Handover> parse_handover(std::string_view text, TimePoint now);

}  // namespace bellwether::app
