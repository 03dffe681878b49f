#include "demand.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace bellwether::cluster {

Demand::Woken Demand::note_traffic(const TrackerOptions& options, TimePoint now) {
  const bool was_unused = is_unused(options, now);
  last_traffic_ = now;
  return {was_unused, std::exchange(is_idle_, false)};
}

void Demand::pause(Duration at_most, TimePoint now, Journal& journal) {
  paused_until_ = now + at_most;
  journal.report(EventKind::kPaused).why =
      fmt::format("new requests wait until `bellwether resume`, at most {}", format_duration(at_most));
}

void Demand::resume(const std::string& why, TimePoint now, Journal& journal) {
  paused_until_.reset();
  last_traffic_ = now;
  journal.report(EventKind::kResumed).why = why;
}

void Demand::settle(bool may_idle, const TrackerOptions& options, TimePoint now, Journal& journal) {
  if (paused_until_.has_value() && now >= *paused_until_)
    resume("the time given to `bellwether pause` is over", now, journal);
  is_idle_ = may_idle && is_unused(options, now);
}

TimePoint Demand::unused_from(const TrackerOptions& options) const {
  if (paused_until_.has_value() || options.idle_inter <= options.inter) return kNever;
  return last_traffic_ + options.idle_after;
}

TimePoint Demand::next_wake(const TrackerOptions& options, TimePoint now) const {
  TimePoint wake = is_unused(options, now) ? kNever : unused_from(options);
  if (paused_until_.has_value()) wake = std::min(wake, *paused_until_);
  return wake;
}

}  // namespace bellwether::cluster
