#include "counters.h"

#include <algorithm>

namespace bellwether::proxy {

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
  into.bytes_up += from.bytes_up.get();
  into.bytes_down += from.bytes_down.get();
  into.sessions_cut_quiet += from.cut_quiet.get();
  into.sessions_cut_deadline += from.cut_deadline.get();
  into.sessions_cut_dead += from.cut_dead.get();
  into.sessions_cut_admin += from.cut_admin.get();
  into.sessions_cut_idle += from.cut_idle.get();
  into.accept_failures += from.accept_failures.get();
  into.maxconn_pauses += from.maxconn_pauses.get();
  into.redirects_total += from.redirects.get();
  into.redirect_loops += from.redirect_loops.get();
  into.rejected_requests += from.rejected_requests.get();
  into.proxy_header_errors += from.proxy_header_errors.get();
  into.hold_sum_s += to_seconds(Duration(static_cast<Duration::rep>(from.hold_sum_ns.get())));
  for (std::size_t i = 0; i < from.hold_buckets.size(); ++i) into.hold_buckets[i] += from.hold_buckets[i].get();
  for (std::size_t i = 0; i < from.nodes_size; ++i) {
    into.connects[i] += from.nodes[i].connects.get();
    into.connect_failures[i] += from.nodes[i].connect_failures.get();
    into.node_sessions_now[i] += from.nodes[i].sessions_now.get();
  }
}

}  // namespace bellwether::proxy
