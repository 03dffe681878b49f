#pragma once

#include <string_view>
#include <vector>

#include "bellwether/base/result.h"
#include "bellwether/base/time.h"
#include "model_options.h"
#include "processes.h"
#include "raft.h"
#include "request_handler.h"
#include "status_api.h"

namespace bellwether::sim {

// The faults that can be injected into a node, by name, and what undoes them when their time is over. Pure.
class Faults {
 public:
  // All of these must outlive it.
  Faults(const ModelOptions& options, Processes& processes, Raft& raft, StatusApi& status, RequestHandler& requests);

  [[nodiscard]] static const std::vector<std::string_view>& names();
  // `argument`: how long it lasts, if it can be undone; of "slow", by how much answers are delayed.
  [[nodiscard]] Result<void> inject(int node, std::string_view fault, Duration argument, TimePoint now);
  // Undoes what is over by now, and starts the node if it is to be restarted by now.
  void do_due(int node, TimePoint now);
  [[nodiscard]] TimePoint next_due() const;

 private:
  struct Schedule {
    TimePoint undo_at = kNever;
    std::string_view undo;         // the fault that ends the present one
    TimePoint starts_at = kNever;  // of a stopped process
  };
  using Fault = Result<void> (Faults::*)(int node, Duration argument, TimePoint now);
  struct Row;
  [[nodiscard]] static const std::vector<Row>& table();

  Result<void> step_down(int node, Duration argument, TimePoint now);
  Result<void> seal(int node, Duration argument, TimePoint now);
  Result<void> unseal(int node, Duration argument, TimePoint now);
  Result<void> crash(int node, Duration argument, TimePoint now);
  Result<void> terminate(int node, Duration argument, TimePoint now);
  Result<void> restart(int node, Duration argument, TimePoint now);
  Result<void> hang(int node, Duration argument, TimePoint now);
  Result<void> wake(int node, Duration argument, TimePoint now);
  Result<void> slow(int node, Duration argument, TimePoint now);
  Result<void> partition(int node, Duration argument, TimePoint now);
  Result<void> heal(int node, Duration argument, TimePoint now);
  Result<void> split_brain(int node, Duration argument, TimePoint now);
  Result<void> foreign(int node, Duration argument, TimePoint now);
  Result<void> not_vault(int node, Duration argument, TimePoint now);
  template <Stated kStated>
  Result<void> state_role(int node, Duration argument, TimePoint now);
  Result<void> stop(int node, Duration election, TimePoint now);
  void start(int node, TimePoint now);
  [[nodiscard]] Schedule& at(int node) { return schedules_[static_cast<std::size_t>(node)]; }

  const ModelOptions& options_;
  Processes& processes_;
  Raft& raft_;
  StatusApi& status_;
  RequestHandler& requests_;
  std::vector<Schedule> schedules_;  // by node
};

}  // namespace bellwether::sim
