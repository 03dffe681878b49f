#include "supervisor_report.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "bellwether/base/visible.h"
#include "bellwether/cluster/leaderless.h"
#include "bellwether/net/supervisor.h"

namespace bellwether::app {
namespace {

std::string leader_text(const cluster::View& view) {
  const cluster::NodeCensus census = cluster::census_of(view);
  return fmt::format("{} leads; {} of {} nodes serve or stand by", view.name(*view.leader), census.members,
                     census.total);
}

std::string hold_text(const cluster::View& view) {
  if (view.hold == cluster::HoldReason::kNone || view.hold == cluster::HoldReason::kIdle) return {};
  return fmt::format("; new requests wait ({}{}{})", to_text(view.hold), view.hold_why.empty() ? "" : ": ",
                     view.hold_why);
}

}  // namespace

std::string status_line(const cluster::View& view) {
  // Texts of nodes are in it, and a line end would begin another assignment.
  if (view.leader) return for_people(leader_text(view) + hold_text(view));
  if (view.hold == cluster::HoldReason::kStarting) return "no node has been heard yet; requests wait";
  return for_people("nobody leads, requests wait: " + summary_of(cluster::explain_leaderless(view)));
}

void SupervisorReport::tell(const std::string& state) const {
  if (!is_replaced_) net::tell_supervisor(state);
}

void SupervisorReport::ready(std::string status) {
  is_ready_ = true;
  tell("READY=1");
  on_status(std::move(status));
}

void SupervisorReport::feed_watchdog(net::Loop& loop, Watchdog::AskAll ask) {
  const auto limit = net::watchdog_limit();
  if (!limit) return;
  watchdog_.emplace(loop, *limit, std::move(ask), [this] { tell("WATCHDOG=1"); });
  watchdog_->begin();
}

void SupervisorReport::on_status(std::string status) {
  if (!is_ready_ || is_stopping_ || status == told_status_) return;
  told_status_ = std::move(status);
  tell("STATUS=" + told_status_);
}

void SupervisorReport::reloading() {
  if (is_stopping_) return;
  // systemd pairs it with the READY=1 that follows by the time of its monotonic clock, which the steady clock is.
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  tell(fmt::format("RELOADING=1\nMONOTONIC_USEC={}",
                   std::chrono::duration_cast<std::chrono::microseconds>(now).count()));
}

void SupervisorReport::reloaded() {
  if (!is_stopping_) tell("READY=1");
}

void SupervisorReport::stopping() {
  is_stopping_ = true;
  tell("STOPPING=1");
  tell("STATUS=ends when its clients have ended");
}

void SupervisorReport::replaced_by(pid_t successor) {
  tell(fmt::format("MAINPID={}", successor));
  is_replaced_ = true;
}

}  // namespace bellwether::app
