#include "counters.h"

#include <algorithm>

namespace bellwether::proxy {
namespace {

template <typename Counters>
void add_each(std::vector<std::uint64_t>& into, const Counters& from) {
  into.resize(from.size());
  for (std::size_t i = 0; i < from.size(); ++i) into[i] += from[i].get();
}

void add_to(DurationCounts& into, const DurationCounter& from) {
  add_each(into.buckets, from.buckets);
  into.sum_s += to_seconds(Duration(static_cast<Duration::rep>(from.sum_ns.get())));
}

void add_to(HttpCounts& into, const HttpCounters& from) {
  into.requests_total += from.requests_total.get();
  into.requests_now += from.requests_now.get();
  add_each(into.by_status_class, from.by_status_class);
  const auto ended = [&](Outcome outcome) { return from.outcomes[static_cast<std::size_t>(outcome)].get(); };
  into.ok += ended(Outcome::kOk);
  into.ambiguous += ended(Outcome::kAmbiguous);
  into.unserved += ended(Outcome::kUnserved);
  into.cut += ended(Outcome::kCut);
  into.client_gone += ended(Outcome::kClientGone);
  add_each(into.rejected, from.rejected);
  into.rejected_late += from.rejected_late.get();
  into.held += from.held.get();
  into.resent += from.resent.get();
  into.header_timeouts += from.header_timeouts.get();
  into.upstream_idle += from.upstream_idle.get();
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

void add_to(ProxyCounts& into, const WorkerCounters& from) {
  into.sessions_total += from.sessions_total.get();
  into.sessions_now += from.sessions_now.get();
  into.held_now += from.held_now.get();
  into.held_total += from.held_total.get();
  into.hold_timeouts += from.hold_timeouts.get();
  into.hold_overflows += from.hold_overflows.get();
  into.client_gone_while_held += from.client_gone_while_held.get();
  into.hello_replays += from.hello_replays.get();
  into.bytes_up += from.bytes_up.get();
  into.bytes_down += from.bytes_down.get();
  const auto cut = [&](Cut why) { return from.cuts[static_cast<std::size_t>(why)].get(); };
  into.sessions_cut_quiet += cut(Cut::kQuiet);
  into.sessions_cut_request += cut(Cut::kRequest);
  into.sessions_cut_answer += cut(Cut::kAnswer);
  into.sessions_cut_silent += cut(Cut::kSilent);
  into.sessions_cut_deadline += cut(Cut::kDeadline);
  into.sessions_cut_dead += cut(Cut::kDead);
  into.sessions_cut_admin += cut(Cut::kAdmin);
  into.sessions_cut_idle += from.cut_idle.get();
  into.sessions_cut_no_first_byte += from.cut_no_first_byte.get();
  into.sessions_cut_for_room += from.cut_for_room.get();
  into.accept_failures += from.accept_failures.get();
  into.maxconn_pauses += from.maxconn_pauses.get();
  for (std::size_t i = 0; i < from.handshake_failures.size(); ++i) {
    into.handshake_failures[i] += from.handshake_failures[i].get();
  }
  into.redirects_total += from.redirects.get();
  into.redirect_loops += from.redirect_loops.get();
  into.rejected_requests += from.rejected_requests.get();
  into.proxy_header_errors += from.proxy_header_errors.get();
  into.hold_sum_s += to_seconds(Duration(static_cast<Duration::rep>(from.hold_sum_ns.get())));
  add_to(into.http, from.http);
  for (std::size_t i = 0; i < from.hold_buckets.size(); ++i) into.hold_buckets[i] += from.hold_buckets[i].get();
}

void add_to(NodeCounts& into, const NodeCounters& from) {
  into.connects += from.connects.get();
  into.connect_failures += from.connect_failures.get();
  into.sessions_now += from.sessions_now.get();
}

}  // namespace bellwether::proxy
