#include "replay.h"

#include <nlohmann/json.hpp>

namespace bellwether::cluster::testing {
namespace {

constexpr double kTraceStarts = -1.5;
const TimePoint kFault = TimePoint(1000s);

TimePoint moment(double t) { return kFault + duration_cast<Duration>(std::chrono::duration<double>(t)); }
double seconds(TimePoint t) { return to_seconds(t - kFault); }

TrackerOptions options(int phase) {
  TrackerOptions options;
  options.topology = first_topology({{"n1", "n1"}, {"n2", "n2"}, {"n3", "n3"}});
  options.idle_inter = options.inter;  // a gateway: it must notice at once
  options.seed = static_cast<std::uint64_t>(phase) + 1;
  return options;
}

}  // namespace

Replay::Replay(const Trace& trace, int phase, bool live)
    : trace_(trace),
      phase_(phase),
      live_(live),
      world_(options(phase), answer_probe(),
             [this](NodeId node, TimePoint sent) { return leader_named_by(node, sent); }) {
  world_.on_view = [this](const View& view) { note(view); };
}

void Replay::run() {
  world_.start(moment(kTraceStarts + phase_ * 1.0 / kPhases));
  if (live_) write();
  if (trace_.new_leader().has_value()) {
    world_.run_until(moment(trace_.first_new_200()));
    outcome_.unsettled = !world_.view().leader.has_value() || world_.view().suspect;
  }
  world_.run_until(moment(trace_.ends()));
  world_.tell(Traffic{});
  world_.run_for(500ms);
  outcome_.epoch = world_.view().epoch;
  outcome_.ends_sending = world_.view().target().has_value();
}

World::OnProbe Replay::answer_probe() {
  return [this](NodeId node, TimePoint sent) -> std::optional<Reply> {
    const Trace::Answered answered = trace_.ask(node, "health", seconds(sent));
    return Reply{moment(answered.at) - sent, answered.answer->probe_end};
  };
}

std::optional<std::string> Replay::leader_named_by(NodeId node, TimePoint sent) const {
  const Trace::Answered answered = trace_.ask(node, "leader", seconds(sent));
  if (answered.answer->status != 200 || answered.at - seconds(sent) > 0.05) return std::nullopt;
  const nlohmann::json body = nlohmann::json::parse(answered.answer->body);
  return body.value("is_self", false) ? "self" : body.value("leader_address", "");
}

void Replay::ask_leader(NodeId node) {
  const TimePoint sent = world_.now();
  const std::optional<std::string> said = leader_named_by(node, sent);
  if (!said.has_value()) return;
  const LeaderStatement statement{node, sent, sent + 1ms, *said == "self", *said == "self" ? "" : *said};
  world_.at(sent + 1ms, [this, statement] { world_.tell(statement); });
}

// A client with one write at a time, held while requests are held; what it meets becomes live answers and hints.
void Replay::write() {
  const TimePoint sent = world_.now();
  if (seconds(sent) > trace_.ends()) return;
  const std::optional<NodeId> target = world_.view().target();
  if (!target.has_value()) {
    world_.at(sent + 5ms, [this] { write(); });
    return;
  }
  const Trace::Answered answered = trace_.ask(*target, "write", seconds(sent));
  const Epoch epoch = world_.view().epoch;
  const auto hint = [this, target, epoch](HintKind kind) { world_.tell(Hint{*target, epoch, kind}); };
  if (moment(answered.at) - sent > 20ms) world_.at(sent + 20ms, [hint] { hint(HintKind::kSlow); });
  world_.at(moment(answered.at), [this, answered, target, sent, hint] {
    if (answered.answer->status == 0) {
      hint(answered.answer->error == "ConnectionRefusedError" ? HintKind::kRefused : HintKind::kClosed);
    } else {
      world_.tell(LiveAnswer{*target, sent});
      if (answered.answer->status == 307) hint(HintKind::kRedirected);
      if (answered.answer->status == 500) hint(HintKind::kNotActive);
      if (answered.answer->status == 503) hint(HintKind::kSealed);
    }
    world_.at(world_.now() + 10ms, [this] { write(); });
  });
}

void Replay::note(const View& view) {
  if (view.leader.has_value()) outcome_.led.insert(view.leader->number);
  if (had_leader_ && !view.leader.has_value()) ++outcome_.lost;
  had_leader_ = view.leader.has_value();
  if (trace_.new_leader().has_value() && outcome_.taken == 0 && view.target() == trace_.new_leader() &&
      view.epoch > 1) {
    outcome_.taken = seconds(world_.now());
  }
}

}  // namespace bellwether::cluster::testing
