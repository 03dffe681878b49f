#include "render.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "bellwether/base/assert.h"
#include "bellwether/cluster/leaderless.h"

namespace bellwether::admin {

namespace {

using Json = nlohmann::ordered_json;
using cluster::HoldReason;

constexpr std::size_t kFailoversInStatus = 10;

// Text from the network may be anything: what is not UTF-8 is replaced, what is not ASCII escaped, for it is read in
// terminals too.
std::string dump(const Json& json) { return json.dump(2, ' ', true, Json::error_handler_t::replace) + "\n"; }

Json reload_of(const ReloadReport& report) {
  return Json{{"problems", report.problems},
              {"changes", report.changes},
              {"needs_restart", report.needs_restart},
              {"hints", report.hints}};
}

Json log_level_of(const LogLevelState& state, TimePoint now, const std::function<WallTime(TimePoint)>& wall_at) {
  Json json{{"level", state.present}, {"configured", state.configured}};
  json["until"] = state.until ? Json(format_utc(wall_at(*state.until))) : Json(nullptr);
  json["seconds_left"] = state.until ? Json(to_seconds(std::max(*state.until - now, Duration::zero()))) : Json(nullptr);
  return json;
}

Json names_of(const std::vector<NameState>& names) {
  Json json = Json::array();
  for (const NameState& name : names) {
    json.push_back({{"host", name.host},
                    {"answered", name.answered ? Json(format_utc(*name.answered)) : Json(nullptr)},
                    {"problem", name.problem.empty() ? Json(nullptr) : Json(name.problem)}});
  }
  return json;
}

class Renderer {
 public:
  explicit Renderer(const Snapshot& snapshot) : s_(snapshot) {}

  [[nodiscard]] Json leader() const {
    if (!s_.view.leader) return nullptr;
    return Json{{"name", name(s_.view.leader)},
                {"url", s_.view.topology->nodes.at(*s_.view.leader).url},
                {"epoch", s_.view.epoch},
                {"since", wall(s_.view.leader_since)},
                {"since_seconds", to_seconds(s_.now - s_.view.leader_since)}};
  }

  [[nodiscard]] Json nodes() const {
    Json nodes = Json::array();
    for (const NodeId id : s_.view.nodes.ids()) nodes.push_back(node(id));
    return nodes;
  }

  [[nodiscard]] Json changes() const {
    Json changes = Json::array();
    const auto& kept = s_.journal.changes();
    for (auto it = kept.rbegin(); it != kept.rend(); ++it) {
      changes.push_back({{"time", format_utc(it->at)},
                         {"age_seconds", to_seconds(s_.wall_at(s_.now) - it->at)},
                         {"epoch", it->to.empty() ? Json(nullptr) : Json(it->epoch)},
                         {"from", or_null(it->from)},
                         {"to", or_null(it->to)},
                         {"why", it->why},
                         {"leaderless_ms", it->to.empty() ? Json(nullptr) : Json(to_millis(it->leaderless))}});
    }
    return changes;
  }

  [[nodiscard]] Json failovers(std::size_t most) const {
    Json list = Json::array();
    for (std::size_t i = 0; i < std::min(most, s_.failovers.size()); ++i) list.push_back(failover(s_.failovers[i]));
    return list;
  }

  [[nodiscard]] Json name(std::optional<NodeId> node) const {
    if (!node) return nullptr;
    return s_.view.name(*node);
  }

  [[nodiscard]] std::string wall(TimePoint at) const { return format_utc(s_.wall_at(at)); }

 private:
  [[nodiscard]] static Json or_null(const std::string& name) { return name.empty() ? Json(nullptr) : Json(name); }

  [[nodiscard]] Json node(NodeId id) const {
    const cluster::NodeView& node = s_.view.nodes.at(id);
    const cluster::NodeDescription& known = s_.view.topology->nodes.at(id);
    Json json{{"name", known.name},         {"url", known.url}, {"leader", s_.view.leader == id},
              {"role", to_text(node.role)}, {"up", node.up},    {"admin", to_text(node.admin)}};
    json["last_answer"] = node.answered_at ? Json(wall(*node.answered_at)) : Json(nullptr);
    json["last_answer_age_ms"] = node.answered_at ? Json(to_millis(s_.now - *node.answered_at)) : Json(nullptr);
    json["latency_ms"] = node.answered_at ? Json(to_millis(node.latency)) : Json(nullptr);
    json["silences"] = node.silences;
    json["status"] = node.facts.status;
    json["version"] = node.facts.version;
    json["cluster_id"] = node.facts.cluster_id;
    json["cluster_name"] = node.facts.cluster_name;
    json["failure"] = node.failure ? Json(to_text(*node.failure)) : Json(nullptr);
    json["problem"] = node.facts.problem;
    json["cause"] = trouble_of(node);
    json["same_as"] = name(node.same_as);
    json["names_leader"] = node.names_leader;
    return json;
  }

  [[nodiscard]] Json failover(const cluster::Failover& of) const {
    const auto since_sign = [&](const std::optional<TimePoint>& at) {
      return at ? Json(to_millis(*at - of.first_sign)) : Json(nullptr);
    };
    return Json{{"cause", to_text(of.cause)},
                {"open", of.is_open},
                {"time", wall(of.first_sign)},
                {"age_seconds", to_seconds(s_.now - of.first_sign)},
                {"from", or_null(of.from_name)},
                {"to", or_null(of.to_name)},
                {"epoch_from", of.epoch_from},
                {"epoch_to", of.to ? Json(of.epoch_to) : Json(nullptr)},
                {"changed_leader", of.changed_leader()},
                {"sign", of.sign},
                {"demoted_to", of.demoted ? Json(to_text(of.demoted_to)) : Json(nullptr)},
                {"ms_from_sign",
                 {{"last_good", since_sign(of.last_good)},
                  {"demoted", since_sign(of.demoted)},
                  {"elected", since_sign(of.elected)},
                  {"first_success", since_sign(of.first_success)},
                  {"heard_again", since_sign(of.heard_again)}}},
                {"leaderless_ms", of.elected ? Json(to_millis(of.leaderless)) : Json(nullptr)},
                {"held", of.traffic.held},
                {"retried", of.traffic.retried},
                {"failed", of.traffic.failed},
                {"cut", of.traffic.cut},
                {"moved",
                 {{"idle", of.traffic.moved_idle},
                  {"at_request", of.traffic.moved_at_request},
                  {"after_answer", of.traffic.moved_after_answer},
                  {"at_deadline", of.traffic.moved_at_deadline}}}};
  }

  const Snapshot& s_;
};

// The status in its parts, in their order. What is said of the process is the same in the snapshot of each cluster.
void add_process(const Snapshot& s, Json& json) {
  json["version"] = s.options.version;
  json["time"] = format_utc(s.wall_at(s.now));
  json["started"] = format_utc(s.wall_at(s.options.started));
  json["uptime_seconds"] = to_seconds(s.now - s.options.started);
}

void add_leaderless(const Snapshot& s, Json& json) {
  const cluster::View& view = s.view;
  const auto why = view.leader ? std::nullopt : std::optional(leaderless_of(s));
  json["leaderless_since"] =
      view.leaderless_since ? Json(format_utc(s.wall_at(*view.leaderless_since))) : Json(nullptr);
  json["leaderless_seconds"] = view.leaderless_since ? Json(to_seconds(s.now - *view.leaderless_since)) : Json(nullptr);
  json["leaderless_because"] = why ? Json(summary_of(*why)) : Json(nullptr);
  json["leaderless_causes"] = why ? Json(why->causes) : Json::array();
}

void add_leadership(const Snapshot& s, Json& json) {
  const Renderer render(s);
  const cluster::View& view = s.view;
  const Readiness ready = readiness(s);
  json["listeners"] = s.listeners;
  json["state"] = state_word(view);
  json["ready"] = ready.ready;
  json["not_ready_because"] = ready.reason;
  json["draining"] = s.draining;
  json["leader"] = render.leader();
  json["epoch"] = view.epoch;
  add_leaderless(s, json);
  json["hold"] = {{"reason", to_text(view.hold)}, {"why", view.hold_why}};
  json["paused_until"] = view.paused_until ? Json(render.wall(*view.paused_until)) : Json(nullptr);
  json["paused_seconds_left"] = view.paused_until ? Json(to_seconds(*view.paused_until - s.now)) : Json(nullptr);
  json["suspect"] = view.suspect;
  json["conflict"] = render.name(view.challenger);
  json["idle"] = view.idle;
  json["stalled"] = view.stalled;
  json["cluster_id"] = view.cluster_id;
  json["takeover_candidates"] = view.takeover_candidates();
  json["nodes"] = render.nodes();
}

// Of the process.
void add_settings(const Snapshot& s, Json& json) {
  json["config"] = {{"read", format_utc(s.config.read)},
                    {"current", s.config.last_reload.problems.empty()},
                    {"last_reload", reload_of(s.config.last_reload)}};
  json["log_level"] = log_level_of(s.log_level, s.now, s.wall_at);
}

void add_history(const Snapshot& s, Json& json) {
  const Renderer render(s);
  json["names"] = names_of(s.names);
  json["changes"] = render.changes();
  json["failovers"] = render.failovers(kFailoversInStatus);
  Json counters = Json::object();
  for (const auto& [key, value] : s.counters) counters[key] = value;
  json["counters"] = std::move(counters);
}

Json failovers_of(const Snapshot& s) { return Json{{"failovers", Renderer(s).failovers(s.failovers.size())}}; }

Json ambiguous_of(const Snapshot& s) {
  Json list = Json::array();
  for (const AmbiguousRequest& each : s.ambiguous) {
    list.push_back({{"time", format_utc(each.at)},
                    {"id", each.id},
                    {"method", each.method},
                    {"class", each.request_class},
                    {"node", each.node.empty() ? Json(nullptr) : Json(each.node)},
                    {"epoch", each.epoch},
                    {"status", each.status},
                    {"why", each.why}});
  }
  return Json{{"ambiguous", std::move(list)}};
}

Json ready_of(const Snapshot& s) {
  const Readiness ready = readiness(s);
  Json json{{"ready", ready.ready}};
  if (!ready.ready) json["reason"] = ready.reason;
  if (!ready.causes.empty()) json["causes"] = ready.causes;
  json["state"] = state_word(s.view);
  return json;
}

// A list of what `render` makes of each snapshot, behind the name of its cluster.
template <typename Render>
Json of_each(const std::vector<Snapshot>& snapshots, const Render& render) {
  Json list = Json::array();
  for (const Snapshot& each : snapshots) {
    Json one{{"cluster", each.cluster}};
    one.update(render(each));
    list.push_back(std::move(one));
  }
  return list;
}

}  // namespace

cluster::Leaderless leaderless_of(const Snapshot& s) { return explain_leaderless(s.view); }

Readiness readiness(const Snapshot& s) {
  const cluster::View& view = s.view;
  if (s.draining) return {false, "draining", {}};
  if (!view.leader) {
    cluster::Leaderless why = leaderless_of(s);
    return {false, summary_of(why), std::move(why.causes)};
  }
  // Suspect: it is still the leader, and what waits goes on or ends soon. To take a sidecar out of service for every
  // answer that is 100 ms late would do more harm than the wait. Paused: clients are meant to wait, not to be refused.
  if (view.hold == HoldReason::kConflict) return {false, "two nodes claim to lead: " + view.hold_why, {}};
  return {true, "", {}};
}

Readiness readiness(const std::vector<Snapshot>& snapshots) {
  Readiness all;
  for (const Snapshot& each : snapshots) {
    Readiness one = readiness(each);
    if (one.ready || each.draining) return one;
    all.reason += fmt::format("{}{}: {}", all.reason.empty() ? "" : "; ", each.cluster, one.reason);
  }
  return all;
}

std::string_view state_word(const cluster::View& view) {
  const bool is_named_by_hold = view.hold != HoldReason::kNone && (view.hold != HoldReason::kIdle || view.leader);
  if (is_named_by_hold) return to_text(view.hold);
  return view.leader ? "leading" : "no_leader";
}

std::string status_json(const Snapshot& s) {
  Json json;
  add_process(s, json);
  if (!s.cluster.empty()) json["cluster"] = s.cluster;
  add_leadership(s, json);
  add_settings(s, json);
  add_history(s, json);
  return dump(json);
}

std::string failovers_json(const Snapshot& s) { return dump(failovers_of(s)); }

std::string ambiguous_json(const Snapshot& s) { return dump(ambiguous_of(s)); }

std::string all_status_json(const std::vector<Snapshot>& snapshots) {
  const Snapshot& any = snapshots.front();
  const Readiness ready = readiness(snapshots);
  Json json;
  add_process(any, json);
  json["ready"] = ready.ready;
  json["not_ready_because"] = ready.reason;
  json["draining"] = any.draining;
  json["clusters"] = of_each(snapshots, [](const Snapshot& s) {
    Json one;
    add_leadership(s, one);
    add_history(s, one);
    return one;
  });
  add_settings(any, json);
  return dump(json);
}

std::string all_failovers_json(const std::vector<Snapshot>& snapshots) {
  return dump(Json{{"clusters", of_each(snapshots, &failovers_of)}});
}

std::string all_ambiguous_json(const std::vector<Snapshot>& snapshots) {
  return dump(Json{{"clusters", of_each(snapshots, &ambiguous_of)}});
}

std::string leader_json(const Snapshot& s) {
  BW_ASSERT(s.view.leader.has_value());
  return dump(Renderer(s).leader());
}

std::string ready_json(const Snapshot& s) { return dump(ready_of(s)); }

std::string all_ready_json(const std::vector<Snapshot>& snapshots) {
  const Readiness ready = readiness(snapshots);
  Json json{{"ready", ready.ready}};
  if (!ready.ready) json["reason"] = ready.reason;
  json["clusters"] = of_each(snapshots, &ready_of);
  return dump(json);
}

std::string node_json(std::string_view name, cluster::AdminState state) {
  return dump(Json{{"node", name}, {"admin", to_text(state)}});
}

std::string pause_json(Duration at_most) { return dump(Json{{"paused_seconds_left", to_seconds(at_most)}}); }

std::string resume_json(bool was_paused) { return dump(Json{{"was_paused", was_paused}}); }

std::string upgrade_json(std::int64_t pid) { return dump(Json{{"upgraded", true}, {"pid", pid}}); }

std::string log_level_json(const LogLevelState& state, TimePoint now, const WallClock& clock) {
  return dump(log_level_of(state, now, [&clock](TimePoint moment) { return clock.at(moment); }));
}

std::string reload_json(const ReloadReport& report) {
  Json json = reload_of(report);
  if (!report.problems.empty()) json["error"] = "the configuration is refused; nothing was changed";
  return dump(json);
}

std::string error_json(std::string_view message) { return dump(Json{{"error", message}}); }

}  // namespace bellwether::admin
