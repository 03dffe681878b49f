#include "timeline.h"

#include <algorithm>
#include <utility>

#include "event_log.h"

namespace bellwether::app {

void PhaseCounts::record(Duration duration) {
  const double seconds = to_seconds(duration);
  const auto* bucket = std::lower_bound(std::begin(kFailoverBuckets), std::end(kFailoverBuckets), seconds);
  ++buckets[static_cast<std::size_t>(bucket - std::begin(kFailoverBuckets))];
  sum_s += seconds;
}

void FailoverCounts::record(const cluster::Failover& failover) {
  if (!failover.changed_leader()) return;
  ++by_cause[static_cast<std::size_t>(failover.cause)];
  if (!failover.from) return;
  if (failover.last_good) detect.record(failover.first_sign - *failover.last_good);
  elect.record(*failover.elected - failover.first_sign);
  if (failover.first_success) first_success.record(*failover.first_success - *failover.elected);
}

Timeline::Timeline(net::Loop& loop, TimelineSources sources)
    : loop_(loop), sources_(std::move(sources)), timer_(loop, [this] { look(); }) {}

void Timeline::take_over(const TimelineHandover& theirs, Epoch epoch) {
  const std::deque<cluster::Failover> own = std::exchange(ended_, {theirs.ended.begin(), theirs.ended.end()});
  counts_ = theirs.counts;
  for (const cluster::Failover& failover : own) {
    if (failover.epoch_to > epoch) remember(failover);
  }
  recorder_.take_over(theirs.open, epoch, *sources_.snapshot(), sources_.traffic());
  after();
}

TimelineHandover Timeline::hand_over() const {
  return {{ended_.begin(), ended_.end()}, recorder_.hand_over(), counts_};
}

void Timeline::stop() {
  is_stopped_ = true;
  timer_.cancel();
}

void Timeline::on_events(const std::vector<cluster::Event>& events) {
  if (is_stopped_) return;
  recorder_.on_events(events, *sources_.snapshot(), sources_.traffic());
  after();
}

void Timeline::on_traffic() { recorder_.note_traffic(sources_.traffic(), loop_.precise_now()); }

void Timeline::on_first_success(Epoch epoch) { recorder_.on_first_success(epoch, loop_.precise_now()); }

std::vector<cluster::Failover> Timeline::failovers() const {
  std::vector<cluster::Failover> all(ended_.begin(), ended_.end());
  for (cluster::Failover& failover : recorder_.open()) all.push_back(std::move(failover));
  std::reverse(all.begin(), all.end());
  return all;
}

void Timeline::look() {
  recorder_.look(*sources_.snapshot(), sources_.traffic());
  after();
}

void Timeline::after() {
  for (const NodeId node : recorder_.take_questions()) sources_.ask_leader(node);
  for (const cluster::Failover& failover : recorder_.take_ended()) keep(failover);
  timer_.arm_at(recorder_.next_look());
}

void Timeline::keep(const cluster::Failover& failover) {
  remember(failover);
  if (failover.from) log_failover(sources_.log, failover);
}

void Timeline::remember(const cluster::Failover& failover) {
  ended_.push_back(failover);
  if (ended_.size() > kMost) ended_.pop_front();
  counts_.record(failover);
}

}  // namespace bellwether::app
