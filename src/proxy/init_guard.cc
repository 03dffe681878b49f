#include "init_guard.h"

#include <fmt/format.h>

namespace bellwether::proxy {
namespace {

using cluster::Role;

bool is_heard(const cluster::NodeView& node) {
  return node.up && node.role != Role::kUnknown && node.role != Role::kSilent && node.role != Role::kError;
}

}  // namespace

Result<NodeId> InitGuard::begin(const cluster::View& view) {
  const std::lock_guard lock(mutex_);
  auto chosen = check_past(view).and_then([&] { return choose(view); });
  if (!chosen) return chosen;
  is_under_way_ = true;
  node_ = *chosen;
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
  if (!node_) return {};
  const std::string& name = names_[node_->index];
  if (is_under_way_) return fail(ErrorKind::kInvalid, fmt::format("{} is being initialized", name));
  if (outcome_ == Outcome::kUnknown) {
    return fail(
        ErrorKind::kInvalid,
        fmt::format("{} was sent sys/init before, and did not say what came of it: look at its own address, and "
                    "restart bellwether if it is not initialized",
                    name));
  }
  // It says so again only if its storage was emptied since.
  const bool is_emptied = node_->index < view.nodes.size() && view.nodes[node_->index].role_since > ended_at_;
  if (!is_emptied) return fail(ErrorKind::kInvalid, fmt::format("{} has just been initialized", name));
  return {};
}

Result<NodeId> InitGuard::choose(const cluster::View& view) const {
  for (std::size_t i = 0; i < names_.size(); ++i) {
    if (i < view.nodes.size() && is_heard(view.nodes[i]) && view.nodes[i].role != Role::kUninitialized) {
      return fail(ErrorKind::kInvalid, fmt::format("{} says {}, so the cluster is initialized; let the others join it",
                                                   names_[i], cluster::to_text(view.nodes[i].role)));
    }
  }
  for (std::size_t i = 0; i < names_.size(); ++i) {
    if (i >= view.nodes.size() || !is_heard(view.nodes[i])) {
      return fail(
          ErrorKind::kUnavailable,
          fmt::format("{} has not said whether it is initialized, and all nodes must be heard first", names_[i]));
    }
  }
  for (std::size_t i = 0; i < names_.size(); ++i) {
    if (view.nodes[i].may_serve_clients()) return node_at(i);
  }
  return fail(ErrorKind::kInvalid, "no node is in service");
}

}  // namespace bellwether::proxy
