#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bellwether/cluster/observation.h"
#include "world.h"

namespace bellwether::cluster::testing {

// One recorded failover (tests/traces/README.md), to be asked as if its nodes were there. Times are seconds from the
// fault, as in the file.
class Trace {
 public:
  explicit Trace(const std::filesystem::path& file);

  // What a request of that kind ("health", "leader", "write"), sent to the node at t, was answered with, and when.
  struct Answer {
    int status = 0;
    std::string error;
    std::string body;    // JSON
    ProbeEnd probe_end;  // for "health": what vault/ and probe/ make of it
  };
  struct Answered {
    const Answer* answer = nullptr;  // the trace's
    double at = 0;
  };
  [[nodiscard]] Answered ask(NodeId node, const std::string& kind, double t) const;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] NodeId old_leader() const { return old_leader_; }
  // The first 200 of a new leadership, and whose; nothing if the old leader was never lost.
  [[nodiscard]] std::optional<NodeId> new_leader() const { return new_leader_; }
  [[nodiscard]] double first_new_200() const { return first_new_200_; }
  [[nodiscard]] double ends() const { return ends_; }

 private:
  struct Stretch {
    double from = 0, to = 0, took = 0;
    Answer answer;
  };
  void find_new_leader();

  std::string name_;
  NodeId old_leader_;
  std::optional<NodeId> new_leader_;
  double first_new_200_ = 0;
  double ends_ = 0;
  std::map<std::pair<std::uint32_t, std::string>, std::vector<Stretch>> stretches_;  // in time order
};

[[nodiscard]] std::vector<Trace> all_traces();

}  // namespace bellwether::cluster::testing
