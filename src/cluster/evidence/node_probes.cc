#include "node_probes.h"

namespace bellwether::cluster {

TimePoint NodeProbes::order_due(bool is_up, const PaceContext& context, const TrackerOptions& options,
                                TimePoint now) const {
  if (outstanding_.size() >= kMaxOutstanding) return kNever;
  if (last_order_ == kLongAgo) return now;
  const NodePace node{is_up, last_order_, fast_rounds_, latency_, slow_};
  const Duration interval = probe_interval(node, context, options);
  const auto shortened = static_cast<Duration::rep>(static_cast<double>(interval.count()) * shortening_);
  const TimePoint regular = last_order_ + Duration(shortened);
  if (outstanding_.empty()) return ask_soon_ ? now : regular;
  return std::max(regular, outstanding_.front().late_from + options.suspect_after);
}

void NodeProbes::order(ProbeId probe, double shortening, TimePoint now) {
  outstanding_.push_back(Outstanding{probe, now, now});
  last_order_ = now;
  if (!unanswered_since_.has_value()) unanswered_since_ = now;
  shortening_ = shortening;
  ask_soon_ = false;
  fast_rounds_ = std::max(fast_rounds_ - 1, 0);
}

std::optional<NodeProbes::Ended> NodeProbes::end(ProbeId probe, const TrackerOptions& options, TimePoint now) {
  const auto found =
      std::find_if(outstanding_.begin(), outstanding_.end(), [&](const Outstanding& each) { return each.id == probe; });
  if (found == outstanding_.end()) return std::nullopt;
  const Ended ended{found->ordered, now - found->ordered >= patience(options)};
  outstanding_.erase(found);
  return ended;
}

void NodeProbes::note_answer(Duration latency, bool settled, const TrackerOptions& options) {
  unanswered_since_.reset();
  const bool known = usual_latency_ > Duration::zero();
  slow_ = known && latency > usual_latency_ * 10 && latency > options.fastinter;
  latency_ = latency;
  if (!known) {
    usual_latency_ = latency;
  } else if (settled) {
    usual_latency_ += (latency - usual_latency_) / 8;
  }
}

void NodeProbes::note_live_answer(TimePoint sent) {
  live_sent_ = std::max(live_sent_, sent);
  if (unanswered_since_.has_value() && sent > *unanswered_since_) unanswered_since_.reset();
}

void NodeProbes::excuse_stop(TimePoint now) {
  for (Outstanding& probe : outstanding_) probe.late_from = now;
  if (unanswered_since_.has_value()) unanswered_since_ = now;
}

bool NodeProbes::is_asked_since(TimePoint since) const {
  return std::any_of(outstanding_.begin(), outstanding_.end(),
                     [&](const Outstanding& probe) { return probe.ordered >= since; });
}

// A node that takes long for each answer is slow and not gone: its lateness begins at twice what the last one took.
Duration NodeProbes::patience(const TrackerOptions& options) const {
  return std::max(options.suspect_after, std::min(latency_ * 2, options.inter));
}

// The node is alive, whatever became of this probe: a live request or a younger probe has been answered.
bool NodeProbes::is_excused(const Outstanding& probe) const {
  return live_sent_ > probe.ordered || is_overtaken(probe.ordered);
}

TimePoint NodeProbes::late_from(const TrackerOptions& options) const {
  TimePoint late = kNever;
  for (const Outstanding& probe : outstanding_) {
    if (!is_excused(probe)) late = std::min(late, probe.late_from + patience(options));
  }
  return late;
}

TimePoint NodeProbes::patience_over(TimePoint from, Duration patience) const {
  TimePoint over = kNever;
  for (const Outstanding& probe : outstanding_) {
    if (!is_overtaken(probe.ordered)) over = std::min(over, std::max(probe.late_from, from) + patience);
  }
  return over;
}

std::optional<TimePoint> NodeProbes::silent_since(const TrackerOptions& options, TimePoint now) const {
  const auto& since = unanswered_since_;
  return since.has_value() && now - *since >= patience(options) ? since : std::nullopt;
}

}  // namespace bellwether::cluster
