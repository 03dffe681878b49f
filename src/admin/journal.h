#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>

#include "bellwether/base/time.h"
#include "bellwether/cluster/tracker.h"

namespace bellwether::admin {

// One change of leader: from whom, to whom, why. `to` is absent while nobody has taken over yet.
struct LeaderChange {
  WallTime at{};     // of the last thing known: the loss, then the election
  std::string from;  // as they were called then; empty: nobody
  std::string to;
  Epoch epoch = 0;  // of `to`
  std::string why;
  Duration leaderless{};  // how long nobody was led to for sure
};

// The last leader changes, oldest first. A loss and the election that ends it are one change.
class Journal {
 public:
  static constexpr std::size_t kMost = 100;

  void record(const cluster::Event& event, WallTime now);
  [[nodiscard]] const std::deque<LeaderChange>& changes() const { return changes_; }

 private:
  LeaderChange& open_change();

  std::deque<LeaderChange> changes_;
};

using Journals = std::map<std::string, Journal, std::less<>>;  // by the names of clusters

}  // namespace bellwether::admin
