// Replays 18 failovers of a real cluster against the tracker, which probes the trace as it would probe the nodes: each
// at 100 phases of its probing, without any other traffic and with one client that writes in a closed loop.
#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <set>

#include "catch.hpp"
#include "replay.h"

namespace bellwether::cluster::testing {
namespace {

// The promise: 25 ms and 2 % of the election where the old leader was known to be in trouble, else one interval.
double allowed(const Trace& trace, bool unsettled) {
  return unsettled ? 0.025 + 0.02 * std::max(trace.first_new_200(), 0.0) : 1.1;
}

struct Row {
  std::vector<double> added;  // seconds from the first new 200 to being led to
  int unsettled = 0;
};

Row replay_all_phases(const Trace& trace, bool live) {
  Row row;
  for (int phase = 0; phase < kPhases; ++phase) {
    INFO(trace.name() << ", phase " << phase << (live ? ", with a client" : ""));
    Replay replay(trace, phase, live);
    replay.run();
    const Outcome& outcome = replay.outcome();
    CHECK(outcome.ends_sending);
    if (!trace.new_leader().has_value()) {
      CHECK(outcome.led == std::set<std::uint32_t>{trace.old_leader().number});
      CHECK(outcome.lost == 0);
      CHECK(outcome.epoch == 1);
      continue;
    }
    CHECK(outcome.led == std::set<std::uint32_t>{trace.old_leader().number, trace.new_leader()->number});
    CHECK(outcome.epoch == 2);
    CHECK(outcome.lost <= 1);
    const double added = outcome.taken - trace.first_new_200();
    CHECK(outcome.taken > 0);
    CHECK(added <= allowed(trace, live || outcome.unsettled));
    row.added.push_back(added);
    row.unsettled += outcome.unsettled ? 1 : 0;
  }
  std::sort(row.added.begin(), row.added.end());
  return row;
}

std::string cell(const Row& row) {
  if (row.added.empty()) return fmt::format("{:>24}", "leader kept");
  return fmt::format("{:7.1f} {:8.1f} {:7}", row.added[row.added.size() / 2] * 1000, row.added.back() * 1000,
                     row.unsettled);
}

}  // namespace

TEST_CASE("all recorded failovers are followed in time and to nobody else", "[cluster][replay]") {
  const std::vector<Trace> traces = all_traces();
  REQUIRE(traces.size() == 18);
  std::string table = fmt::format(
      "\n{} phases each; ms from the first new 200 until the new leader is led to; known: phases in which trouble was\n"
      "known by then. Election: seconds from the fault to the first new 200.\n\n"
      "{:22} {:>8} | {:>24} | {:>24}\n{:22} {:>8} | {:>7} {:>8} {:>7} | {:>7} {:>8} {:>7}\n",
      kPhases, "trace", "election", "probing alone", "with a client", "", "", "median", "max", "known", "median", "max",
      "known");
  for (const Trace& trace : traces) {
    const Row alone = replay_all_phases(trace, false);
    const Row with_client = replay_all_phases(trace, true);
    const std::string election = trace.new_leader() ? fmt::format("{:.2f}", trace.first_new_200()) : "none";
    table += fmt::format("{:22} {:>8} | {} | {}\n", trace.name(), election, cell(alone), cell(with_client));
  }
  std::cout << table << std::endl;
}

}  // namespace bellwether::cluster::testing
