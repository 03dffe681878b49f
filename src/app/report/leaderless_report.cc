#include "leaderless_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "app/process/log.h"

namespace bellwether::app {
namespace {

constexpr Duration kLookInterval = 100ms;
constexpr Duration kUsualElection = 1s;  // a planned change takes 0.5 to 0.9 s, and leader_lost has been logged
constexpr Duration kMaxFirstWait = 5s;   // for the first answer of every node
constexpr Duration kRepeatInterval = 1min;
constexpr Duration kChangedInterval = 10s;

bool all_heard(const cluster::View& view) { return cluster::census_of(view).unheard == 0; }

}  // namespace

LeaderlessReport::LeaderlessReport(net::Loop& loop, LeaderlessSources sources)
    : loop_(loop), sources_(std::move(sources)), timer_(loop, [this] { look(); }) {}

void LeaderlessReport::on_view(const cluster::View& view) {
  if (view.leader) {
    timer_.cancel();
    reported_at_.reset();
    reported_.clear();
    is_first_spell_ = has_asked_ = false;
  } else if (!timer_.is_armed()) {
    timer_.arm_in(kLookInterval);
  }
}

void LeaderlessReport::look() {
  timer_.arm_in(kLookInterval);
  const cluster::ViewPtr view = sources_.snapshot();
  if (!view->leaderless_since) return;
  const TimePoint now = loop_.precise_now();
  // The answers are there when the first report is due, or make the next one better.
  if (!std::exchange(has_asked_, true)) {
    for (const NodeId id : view->nodes.ids()) {
      const cluster::NodeView& node = view->nodes.at(id);
      if (cluster::is_denial(node.role) && !node.failure) sources_.ask_leader(id);
    }
  }
  report(*view, now);
}

bool LeaderlessReport::is_due(const cluster::View& view, const std::string& text, TimePoint now) const {
  const Duration lasted = now - *view.leaderless_since;
  if (!reported_at_ && is_first_spell_)
    return (lasted > 3 * kLookInterval && all_heard(view)) || lasted >= kMaxFirstWait;
  if (!reported_at_) return lasted >= kUsualElection;
  const Duration waited = now - *reported_at_;
  return waited >= kRepeatInterval || (text != reported_ && waited >= kChangedInterval);
}

void LeaderlessReport::report(const cluster::View& view, TimePoint now) {
  const cluster::Leaderless why = cluster::explain_leaderless(view);
  std::string causes = fmt::format("{}", fmt::join(why.causes, " | "));
  const std::string text = summary_of(why) + causes;
  if (!is_due(view, text, now)) return;
  reported_at_ = now;
  reported_ = text;
  has_asked_ = false;
  sources_.log.warn("no_leader",
                    {{"since", format_utc(sources_.wall_at(*view.leaderless_since))},
                     {"seconds", to_seconds(std::chrono::round<std::chrono::seconds>(now - *view.leaderless_since))},
                     {"because", summary_of(why)},
                     {"nodes", causes}});
}

}  // namespace bellwether::app
