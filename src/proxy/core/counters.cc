#include "counters.h"

#include <algorithm>

namespace bellwether::proxy {
namespace {

// The slots of rows.def.
template <template <typename> typename Slots>
void add_slots(Slots<std::uint64_t>& into, const Slots<Counter>& from) {
  constexpr auto sums = Slots<std::uint64_t>::all();
  constexpr auto counters = Slots<Counter>::all();
  static_assert(sums.size() == counters.size());
  for (std::size_t i = 0; i < sums.size(); ++i) into.*sums[i].cell += (from.*counters[i].cell).get();
}

template <std::size_t Count>
void add_each(std::array<std::uint64_t, Count>& into, const std::array<Counter, Count>& from) {
  for (std::size_t i = 0; i < Count; ++i) into[i] += from[i].get();
}

template <std::size_t Count>
void add_each(std::vector<std::uint64_t>& into, const std::array<Counter, Count>& from) {
  into.resize(Count);
  for (std::size_t i = 0; i < Count; ++i) into[i] += from[i].get();
}

double seconds_of(const Counter& ns) { return to_seconds(Duration(static_cast<Duration::rep>(ns.get()))); }

void add_to(DurationCounts& into, const DurationCounter& from) {
  add_each(into.buckets, from.buckets);
  into.sum_s += seconds_of(from.sum_ns);
}

void add_to(HttpCounts& into, const HttpCounters& from) {
  add_slots<metrics::HttpSlots>(into, from);
  add_each(into.by_status_class, from.by_status_class);
  const auto ended = [&](Outcome outcome) { return from.outcomes[static_cast<std::size_t>(outcome)].get(); };
  into.ok += ended(Outcome::kOk);
  into.ambiguous += ended(Outcome::kAmbiguous);
  into.unserved += ended(Outcome::kUnserved);
  into.cut += ended(Outcome::kCut);
  into.client_gone += ended(Outcome::kClientGone);
  add_each(into.rejected, from.rejected);
  into.rejected_late += from.rejected_late.get();
  add_each(into.rows, from.rows);
  add_to(into.waiting, from.waiting);
  add_to(into.upstream, from.upstream);
  add_to(into.total, from.total);
}

}  // namespace

void DurationCounter::record(Duration duration) {
  const auto* bucket = std::lower_bound(std::begin(kHttpBuckets), std::end(kHttpBuckets), to_seconds(duration));
  buckets[static_cast<std::size_t>(bucket - std::begin(kHttpBuckets))].add();
  sum_ns.add(static_cast<std::uint64_t>(duration.count()));
}

void WorkerCounters::record_hold(Duration held) {
  const auto* bucket = std::lower_bound(std::begin(kHoldBuckets), std::end(kHoldBuckets), to_seconds(held));
  hold_buckets[static_cast<std::size_t>(bucket - std::begin(kHoldBuckets))].add();
  hold_sum_ns.add(static_cast<std::uint64_t>(held.count()));
}

void WorkerCounters::count_cut(Cut cut) {
  switch (cut) {
    case Cut::kNone:
      return;
    case Cut::kQuiet:
      return sessions_cut_quiet.add();
    case Cut::kRequest:
      return sessions_cut_request.add();
    case Cut::kAnswer:
      return sessions_cut_answer.add();
    case Cut::kSilent:
      return sessions_cut_silent.add();
    case Cut::kDeadline:
      return sessions_cut_deadline.add();
    case Cut::kDead:
      return sessions_cut_dead.add();
    case Cut::kAdmin:
      return sessions_cut_admin.add();
  }
}

void add_to(ProxyCounts& into, const WorkerCounters& from) {
  add_slots<metrics::WorkerSlots>(into, from);
  add_each(into.handshake_failures, from.handshake_failures);
  add_each(into.hold_buckets, from.hold_buckets);
  into.hold_sum_s += seconds_of(from.hold_sum_ns);
  add_to(into.http, from.http);
}

void add_to(NodeCounts& into, const NodeCounters& from) { add_slots<metrics::NodeSlots>(into, from); }

}  // namespace bellwether::proxy
