// Question: what do a thousand sidecars cost the nodes of one cluster, and does the first request after a quiet time go
// to the right node?
//
// Method: real trackers (cluster::LeaderTracker), each with its own seed, before one simulated cluster (sim::Model), in
// pretended time: no socket, no clock, the same figures on every machine. The network takes 1 ms there and back, 50 %
// more or less; a node works 75 us on a health request, one after the other, as was measured on Vault. Who has asked a
// node keeps a connection, and is told when the node's end of it closes. Counted is each request that reaches a node,
// /v1/sys/leader too, in slices of 10 ms; the figures are those of the busiest node.
//
// Load: the sidecars start within 30 s of each other and get no request. Two minutes are counted, then the leader is
// struck and the election takes 10 s; then another minute. Slow nodes take 500 ms more for each answer from then on.
//
// First requests: 20 sidecars, and 200 times the leader changes while they are idle: it steps down, is sealed or hangs,
// in turn, and its successor leads within 0.5 to 2 s. Each sidecar that has not noticed then gets one request.
//
// Usage: fleet [--sidecars N] [--changes N] [--seed S] [--smoke]        `./dev bench fleet` builds it first
//        Ends with 1 if a promise was broken; they are for 1,000 sidecars, and with fewer only the first requests
//        count.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "cluster.h"
#include "fleet.h"

namespace bellwether::bench {
namespace {

// Promised for 1,000 sidecars, in requests per second and node.
constexpr int kPromisedSidecars = 1'000;
constexpr double kSteadyGoal = 40;
constexpr double kElectionGoal = 6'000;  // in the worst second
constexpr int kNodes = 3;
constexpr Duration kElection = 9'990ms;  // who has stepped down may lead again after 10 s

struct Options {
  int sidecars = kPromisedSidecars;
  int changes = 200;
  std::uint64_t seed = 1;
};

ClusterOptions three_nodes(Duration election, std::uint64_t seed) {
  ClusterOptions options;
  for (int i = 1; i <= kNodes; ++i) options.model.urls.push_back(fmt::format("https://n{}:8200", i));
  options.model.election = election;
  options.model.crash_election = election;
  options.model.seed = seed;
  return options;
}

// What strikes the leader, and in which state of the world.
struct Case {
  std::string name;
  std::string fault;
  Duration slow{};
  Duration service = 75us;
  bool is_in_use = false;
};

struct Figures {
  double steady = 0, steady_worst = 0;
  double worst = 0, burst = 0, answered = 0;  // in the election; the worst second and 100 ms, and of a living node
  double after_worst = 0, after = 0;
  int followers = 0;
};

Figures measure(const Case& what, const Options& options) {
  Agenda agenda(TimePoint(1000s));
  Cluster cluster(agenda, three_nodes(kElection, options.seed), options.seed + 1);
  Fleet fleet(agenda, cluster, options.sidecars, cluster::TrackerOptions{}, options.seed + 2);
  const Duration spread = what.is_in_use ? 1s : 30s;
  fleet.start(spread);
  if (what.is_in_use) fleet.keep_busy(1s);
  agenda.run_for(spread * 3);
  const TimePoint steady = agenda.now();
  agenda.run_for(spread * 4);

  const TimePoint struck = agenda.now();
  cluster.strike(cluster.leader(), what.fault);
  cluster.set_service(what.service);
  for (int node = 0; node < kNodes; ++node) cluster.strike(node, "slow", what.slow);
  while (cluster.leader() < 0) agenda.run_for(10ms);
  const TimePoint elected = agenda.now();
  agenda.run_for(60s);

  const Load& load = cluster.load();
  Figures figures;
  figures.steady = load.mean(steady, struck);
  figures.steady_worst = load.worst(steady, struck, 1s);
  figures.worst = load.worst(struck, elected, 1s);
  figures.burst = load.worst(struck, elected, 100ms);
  figures.answered = cluster.answered_load().worst(struck, elected, 1s);
  figures.after_worst = load.worst(elected, elected + 30s, 1s);
  figures.after = load.mean(elected + 30s, elected + 60s);
  figures.followers = fleet.followers(cluster.leader());
  return figures;
}

void show(const Case& what, const Figures& figures) {
  fmt::print("{:<27} {:>6.1f} {:>6.0f}   {:>6.0f} {:>6.0f} {:>7.0f}   {:>6.0f} {:>6.1f} {:>9}\n", what.name,
             figures.steady, figures.steady_worst, figures.worst, figures.answered, figures.burst, figures.after_worst,
             figures.after, figures.followers);
  std::fflush(stdout);
}

// Says so, and whether it was kept.
bool judge(bool is_kept, const std::string& promise) {
  fmt::print("  {:<8} {}\n", is_kept ? "met" : "NOT MET", promise);
  return is_kept;
}

bool compare_loads(const Options& options) {
  fmt::print(
      "Requests per second that {} sidecars send to the busiest of {} nodes, and how many follow the new leader a "
      "minute later.\n\n{:<27} {:^13}   {:^21}   {:^13} {:>9}\n{:<27} {:>6} {:>6}   {:>6} {:>6} {:>7}   {:>6} {:>6}\n",
      options.sidecars, kNodes, "", "before", "in 10 s of election", "a minute after", "followers", "", "mean", "worst",
      "worst", "alive", "100 ms", "worst", "mean");
  const Case kStepDown{"step-down", "step-down"};
  const Case kCrash{"crash", "crash"};
  const std::vector<std::pair<Case, Case>> pairs = {
      {kStepDown, {"step-down, slow nodes", "step-down", 500ms}},
      {{"seal", "seal"}, {"seal, slow nodes", "seal", 500ms}},
      {{"hang", "hang"}, {"hang, slow nodes", "hang", 500ms}},
      {kCrash, {"crash, slow nodes", "crash", 500ms}},
      {kCrash, {"crash, busy nodes", "crash", 0ms, 2ms}},
  };
  double steady = 0, worst = 0;
  bool is_falling = true;
  bool all_follow = true;
  Figures usual;
  std::string last;
  for (const auto& [plain, slow] : pairs) {
    if (plain.name != last) {
      usual = measure(plain, options);
      show(plain, usual);
    }
    last = plain.name;
    const Figures slowed = measure(slow, options);
    show(slow, slowed);
    for (const Figures& each : {usual, slowed}) {
      steady = std::max(steady, each.steady);
      worst = std::max(worst, each.worst);
      all_follow = all_follow && each.followers == options.sidecars;
    }
    if (slow.slow > 0ms) is_falling = is_falling && slowed.answered < usual.answered;
  }
  const Case in_use{"step-down, in use", "step-down", 0ms, 75us, true};
  show(in_use, measure(in_use, options));
  const double share = static_cast<double>(options.sidecars) / kPromisedSidecars;
  fmt::print("\n");
  bool kept = judge(steady <= kSteadyGoal * share,
                    fmt::format("idle: {:.1f} of at most {:.1f} requests/s and node", steady, kSteadyGoal * share));
  kept &= judge(worst <= kElectionGoal * share,
                fmt::format("election: {:.0f} of at most {:.0f} in the worst second", worst, kElectionGoal * share));
  kept &= judge(is_falling, "a living node that slows down is asked less");
  kept &= judge(all_follow, "every idle sidecar has found the new leader a minute later, on slow nodes too");
  return kept;
}

// A frozen node answers nothing: its probe is given up after conflict_patience, once another node claims to lead.
bool report_first_requests(int changes, const std::vector<std::string>& faults,
                           const std::vector<std::vector<Fleet::FirstRequest>>& taken, Duration patience) {
  fmt::print("\nFirst requests of idle sidecars after {} leader changes that they had not noticed.\n\n", changes);
  fmt::print("{:<12} {:>8} {:>12} {:>15} {:>9} {:>12} {:>10}\n", "change", "requests", "right node", "one round trip",
             "waited ms", "at most", "conflicts");
  std::size_t sent = 0, right = 0, prompt = 0;
  for (std::size_t kind = 0; kind < faults.size(); ++kind) {
    const bool hangs = faults[kind] == "hang";
    std::size_t right_here = 0, prompt_here = 0;
    int conflicts = 0;
    Duration total{}, longest{};
    for (const Fleet::FirstRequest& each : taken[kind]) {
      right_here +=
          each.sent_to && static_cast<int>(each.sent_to->number) == each.truth && each.sent_to != each.was_leader;
      const Duration allowed = hangs ? std::max(each.slowest_answer, patience) : each.slowest_round_trip;
      prompt_here += each.waited <= each.under_way + allowed;
      conflicts += each.conflicts;
      total += each.waited;
      longest = std::max(longest, each.waited);
    }
    const std::size_t count = taken[kind].size();
    fmt::print("{:<12} {:>8} {:>12} {:>15} {:>9.2f} {:>12.2f} {:>10}\n", faults[kind], count, right_here, prompt_here,
               count > 0 ? to_millis(total) / static_cast<double>(count) : 0.0, to_millis(longest), conflicts);
    sent += count;
    right += right_here;
    prompt += prompt_here;
  }
  fmt::print("\n");
  bool kept = judge(right == sent && sent >= static_cast<std::size_t>(changes),
                    fmt::format("{} of {} first requests went to the right node", right, sent));
  kept &=
      judge(prompt == sent, fmt::format("{} of {} waited for one health round trip (after a hang, for the {:.0f} ms "
                                        "that an old leader is given to contradict)",
                                        prompt, sent, to_millis(patience)));
  return kept;
}

// Until all is as it was: three nodes that answer, and sidecars that are idle.
void recover(Agenda& agenda, Cluster& cluster, int struck, const std::string& fault) {
  if (fault == "seal") cluster.strike(struck, "unseal");
  if (fault == "hang") cluster.strike(struck, "wake");
  agenda.run_for(45s);
}

bool compare_first_requests(const Options& options) {
  constexpr int kSidecars = 20;
  const std::vector<std::string> faults = {"step-down", "seal", "hang"};
  Agenda agenda(TimePoint(1000s));
  Cluster cluster(agenda, three_nodes(500ms, options.seed), options.seed + 1);
  cluster::TrackerOptions tracker;
  Fleet fleet(agenda, cluster, kSidecars, tracker, options.seed + 2);
  Prng prng(options.seed + 3);
  fleet.start(30s);
  agenda.run_for(60s);
  int changes = 0;
  std::vector<std::vector<Fleet::FirstRequest>> taken(faults.size());
  while (changes < options.changes) {
    const std::size_t kind = static_cast<std::size_t>(changes) % faults.size();
    const int old = cluster.leader();
    cluster.strike(old, faults[kind]);
    agenda.run_for(600ms);
    while (cluster.leader() < 0) agenda.run_for(10ms);
    agenda.run_for(Duration(prng.below(static_cast<std::uint64_t>(Duration(3s).count()))));
    const std::size_t before = fleet.first_requests().size();
    int asked = 0;
    for (int i = 0; i < kSidecars; ++i) {
      const cluster::View& view = fleet.view(i);
      if (!view.idle || view.leader != NodeId{static_cast<std::uint32_t>(old)}) continue;
      fleet.request(i);
      ++asked;
    }
    if (asked > 0) ++changes;
    agenda.run_for(5s);
    const auto& all = fleet.first_requests();
    taken[kind].insert(taken[kind].end(), all.begin() + static_cast<std::ptrdiff_t>(before), all.end());
    if (all.size() - before != static_cast<std::size_t>(asked)) fmt::print("a request still waits after 5 s\n");
    recover(agenda, cluster, old, faults[kind]);
  }
  return report_first_requests(changes, faults, taken, tracker.conflict_patience);
}

}  // namespace
}  // namespace bellwether::bench

int main(int argc, char** argv) {
  bellwether::bench::Options options;
  CLI::App app("What a fleet of sidecars costs the nodes of one cluster");
  app.add_option("--sidecars", options.sidecars)->check(CLI::Range(1, 20'000));
  app.add_option("--changes", options.changes)->check(CLI::Range(1, 10'000));
  app.add_option("--seed", options.seed);
  CLI11_PARSE(app, argc, argv);
  const bool is_cheap = bellwether::bench::compare_loads(options);
  const bool is_right = bellwether::bench::compare_first_requests(options);
  return is_cheap && is_right ? 0 : 1;
}
