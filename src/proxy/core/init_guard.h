#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "bellwether/base/ids.h"
#include "bellwether/base/result.h"
#include "bellwether/base/time.h"
#include "bellwether/cluster/view.h"

namespace bellwether::proxy {

// Sees to it that a cluster is initialized once: each node that carries out sys/init becomes a cluster of its own. One
// for all workers; any thread. It knows only of what goes through this process.
class InitGuard {
 public:
  enum class Outcome : std::uint8_t {
    kDone,     // the node said so
    kNotDone,  // nothing was sent, or the node refused
    kUnknown,  // sent, and no answer that tells
  };

  // The node that may be sent sys/init now: the first, if all nodes have been heard and say that they are
  // uninitialized, and no other request of the kind is under way, was carried out, or may have been. Else the reason:
  // kUnavailable if it may pass by itself. end() must follow.
  [[nodiscard]] Result<NodeId> begin(const cluster::View& view);
  void end(Outcome outcome, TimePoint now);

 private:
  [[nodiscard]] Result<NodeId> choose(const cluster::View& view) const;
  [[nodiscard]] Result<void> check_past(const cluster::View& view) const;
  [[nodiscard]] bool is_another_cluster(const cluster::View& view) const;

  std::mutex mutex_;
  bool is_under_way_ = false;
  std::optional<NodeId> node_;      // that was sent the last one, unless that was not carried out
  std::string name_;                // of that
  std::vector<NodeId> nodes_then_;  // all that there were
  Outcome outcome_ = Outcome::kNotDone;
  TimePoint ended_at_{};
};

}  // namespace bellwether::proxy
