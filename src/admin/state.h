#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bellwether/admin/admin.h"
#include "journal.h"
#include "render.h"

namespace bellwether::admin {

// What an answer needs beside the view. It is copied for those that need it only.
struct Needs {
  bool metrics = false;
  bool failovers = false;
  bool ambiguous = false;
  Needs& operator|=(const Needs& other);
};
[[nodiscard]] Needs needs_of(std::string_view path);

// A copy of everything that the reading endpoints are made of. Taken on the control thread, rendered on the admin
// thread.
struct State {
  cluster::ViewPtr view;
  Journal journal;
  Counters counters;
  bool draining = false;
  ConfigState config;
  LogLevelState log_level;
  std::vector<NameState> names;
  std::vector<std::string> listeners;
  TimePoint now{};
  std::function<WallTime(TimePoint)> wall_at;
  std::vector<cluster::Failover> failovers{};
  std::vector<AmbiguousRequest> ambiguous{};
  std::function<std::string()> metrics_text{};

  [[nodiscard]] Snapshot snapshot(const AdminOptions& options) const;
};
using StatePtr = std::shared_ptr<const State>;

// Control thread.
[[nodiscard]] StatePtr copy_state(const AdminSources& sources, const Journal& journal, Needs needs, TimePoint now);

}  // namespace bellwether::admin
