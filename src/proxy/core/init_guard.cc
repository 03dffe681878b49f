#include "init_guard.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <variant>

#include "bellwether/cluster/route.h"

namespace bellwether::proxy {
Result<NodeId> InitGuard::begin(const cluster::View& view) {
  const std::lock_guard lock(mutex_);
  auto chosen = check_past(view).and_then([&] { return choose(view); });
  if (!chosen) return chosen;
  is_under_way_ = true;
  node_ = *chosen;
  name_ = view.name(*chosen);
  nodes_then_ = view.nodes.ids();
  return chosen;
}

void InitGuard::end(Outcome outcome, TimePoint now) {
  const std::lock_guard lock(mutex_);
  is_under_way_ = false;
  outcome_ = outcome;
  ended_at_ = now;
  if (outcome == Outcome::kNotDone) node_.reset();
}

// What this process has sent already.
Result<void> InitGuard::check_past(const cluster::View& view) const {
  if (!node_ || (!is_under_way_ && is_another_cluster(view))) return {};
  if (is_under_way_) return fail(ErrorKind::kInvalid, fmt::format("{} is being initialized", name_));
  if (outcome_ == Outcome::kUnknown) {
    return fail(
        ErrorKind::kInvalid,
        fmt::format("{} was sent sys/init before, and did not say what came of it: look at its own address, and "
                    "restart bellwether if it is not initialized",
                    name_));
  }
  // It says so again only if its storage was emptied since.
  const cluster::NodeView* const seen = view.nodes.find(*node_);
  const bool is_emptied = seen != nullptr && seen->role_since > ended_at_;
  if (!is_emptied) return fail(ErrorKind::kInvalid, fmt::format("{} has just been initialized", name_));
  return {};
}

// All nodes of then have been removed. One that was there may yet join the one that was initialized.
bool InitGuard::is_another_cluster(const cluster::View& view) const {
  const auto& ids = view.nodes.ids();
  return std::none_of(ids.begin(), ids.end(), [this](NodeId id) {
    return std::find(nodes_then_.begin(), nodes_then_.end(), id) != nodes_then_.end();
  });
}

Result<NodeId> InitGuard::choose(const cluster::View& view) const {
  const cluster::Route route = cluster::choose(view, {.accepts = cluster::Accepts::kLeaderOrInit});
  if (const auto chosen = cluster::node_of(route)) return *chosen;
  const auto* refuse = std::get_if<cluster::Refuse>(&route);
  if (refuse == nullptr || !refuse->node) return fail(ErrorKind::kInvalid, "no node is in service");
  const std::string_view name = view.name(*refuse->node);
  if (refuse->reason == cluster::RefuseReason::kAlreadyInitialized) {
    const std::string_view role = cluster::to_text(view.nodes.at(*refuse->node).role);
    constexpr std::string_view kWhy = "{} says {}, so the cluster is initialized; let the others join it";
    return fail(ErrorKind::kInvalid, fmt::format(kWhy, name, role));
  }
  constexpr std::string_view kWhy = "{} has not said whether it is initialized, and all nodes must be heard first";
  return fail(ErrorKind::kUnavailable, fmt::format(kWhy, name));
}

}  // namespace bellwether::proxy
