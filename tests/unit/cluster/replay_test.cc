// Replays 18 failovers of a real cluster against the tracker, which probes the trace as it would probe the nodes: each
// at 100 phases of its probing, without any other traffic and with one client that writes in a closed loop.
#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>
#include <set>

#include "catch.hpp"
#include "trace.h"
#include "world.h"

namespace bellwether::cluster::testing {
namespace {

constexpr int kPhases = 100;
constexpr double kTraceStarts = -1.5;
const TimePoint kFault = TimePoint(1000s);

TimePoint moment(double t) { return kFault + duration_cast<Duration>(std::chrono::duration<double>(t)); }
double seconds(TimePoint t) { return to_seconds(t - kFault); }

// One run: what was led to, and when.
struct Outcome {
  double taken = 0;             // when the new leader was first led to
  bool unsettled = false;       // the old one was lost or suspect at the first new 200
  std::set<std::uint16_t> led;  // everybody who was ever led to
  int lost = 0;                 // how often there was "no leader" after the first
  Epoch epoch = 0;
  bool ends_sending = false;
};

class Replay {
 public:
  Replay(const Trace& trace, int phase, bool live)
      : trace_(trace), live_(live), world_(options(phase), ask(), ask_leader()) {
    world_.on_view = [this](const View& view) { note(view); };
    world_.start(moment(kTraceStarts + phase * 1.0 / kPhases));
    if (live_) write();
    if (trace_.new_leader().has_value()) {
      world_.run_until(moment(trace_.first_new_200()));
      outcome_.unsettled = !world_.view().leader.has_value() || world_.view().suspect;
    }
    world_.run_until(moment(trace_.ends()));
    world_.apply(world_.tracker().on_traffic(world_.now()));
    world_.run_for(500ms);
    outcome_.epoch = world_.view().epoch;
    outcome_.ends_sending = world_.view().target().has_value();
  }
  [[nodiscard]] const Outcome& outcome() const { return outcome_; }

 private:
  static TrackerOptions options(int phase) {
    TrackerOptions options;
    options.node_names = {"n1", "n2", "n3"};
    options.node_addresses = {"n1", "n2", "n3"};
    options.idle_inter = options.inter;  // a gateway: it must notice at once
    options.seed = static_cast<std::uint64_t>(phase) + 1;
    return options;
  }

  World::OnProbe ask() {
    return [this](NodeId node, TimePoint sent) -> std::optional<Reply> {
      const Trace::Answered answered = trace_.ask(node, "health", seconds(sent));
      return Reply{moment(answered.at) - sent, answered.answer->probe_end};
    };
  }

  World::OnAskLeader ask_leader() {
    return [this](NodeId node, TimePoint sent) -> std::optional<std::string> {
      const Trace::Answered answered = trace_.ask(node, "leader", seconds(sent));
      if (answered.answer->status != 200 || answered.at - seconds(sent) > 0.05) return std::nullopt;
      const nlohmann::json body = nlohmann::json::parse(answered.answer->body);
      return body.value("is_self", false) ? "self" : body.value("leader_address", "");
    };
  }

  // A client with one write at a time, held while requests are held; what it meets becomes live answers and hints.
  void write() {
    const TimePoint sent = world_.now();
    if (seconds(sent) > trace_.ends()) return;
    const std::optional<NodeId> target = world_.view().target();
    if (!target.has_value()) {
      world_.at(sent + 5ms, [this] { write(); });
      return;
    }
    const Trace::Answered answered = trace_.ask(*target, "write", seconds(sent));
    const Epoch epoch = world_.view().epoch;
    const auto hint = [this, target, epoch](HintKind kind) {
      world_.apply(world_.tracker().on_hint(Hint{*target, epoch, kind}, world_.now()));
    };
    if (moment(answered.at) - sent > 20ms) world_.at(sent + 20ms, [hint] { hint(HintKind::kSlow); });
    world_.at(moment(answered.at), [this, answered, target, sent, hint] {
      if (answered.answer->status == 0) {
        hint(answered.answer->error == "ConnectionRefusedError" ? HintKind::kRefused : HintKind::kClosed);
      } else {
        world_.apply(world_.tracker().on_live_answer(*target, sent, world_.now()));
        if (answered.answer->status == 307) hint(HintKind::kRedirected);
        if (answered.answer->status == 500) hint(HintKind::kNotActive);
        if (answered.answer->status == 503) hint(HintKind::kSealed);
      }
      world_.at(world_.now() + 10ms, [this] { write(); });
    });
  }

  void note(const View& view) {
    if (view.leader.has_value()) outcome_.led.insert(view.leader->index);
    if (had_leader_ && !view.leader.has_value()) ++outcome_.lost;
    had_leader_ = view.leader.has_value();
    if (trace_.new_leader().has_value() && outcome_.taken == 0 && view.target() == trace_.new_leader() &&
        view.epoch > 1) {
      outcome_.taken = seconds(world_.now());
    }
  }

  const Trace& trace_;
  bool live_;
  bool had_leader_ = false;
  Outcome outcome_;
  World world_;
};

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
    const Outcome outcome = Replay(trace, phase, live).outcome();
    CHECK(outcome.ends_sending);
    if (!trace.new_leader().has_value()) {
      CHECK(outcome.led == std::set<std::uint16_t>{trace.old_leader().index});
      CHECK(outcome.lost == 0);
      CHECK(outcome.epoch == 1);
      continue;
    }
    CHECK(outcome.led == std::set<std::uint16_t>{trace.old_leader().index, trace.new_leader()->index});
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
