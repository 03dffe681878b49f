#include "fleet.h"

#include <algorithm>
#include <string>
#include <utility>

#include "bellwether/vault/health.h"

namespace bellwether::bench {
namespace {

constexpr Duration kTimeoutCheck = 3s;

}  // namespace

Fleet::Fleet(Agenda& agenda, Cluster& cluster, int sidecars, const cluster::TrackerOptions& options, std::uint64_t seed)
    : agenda_(agenda), cluster_(cluster), prng_(seed) {
  for (int i = 0; i < sidecars; ++i) {
    cluster::TrackerOptions own = options;
    own.seed = prng_.next();
    std::vector<cluster::NodeDescription> nodes;
    for (int node = 0; node < cluster.size(); ++node) {
      nodes.push_back({"n" + std::to_string(node + 1), cluster.url(node)});
    }
    own.topology = cluster::first_topology(std::move(nodes));
    Sidecar& made = *sidecars_.emplace_back(std::make_unique<Sidecar>(std::move(own)));
    made.is_questioned.resize(static_cast<std::size_t>(cluster.size()));
  }
  cluster_.on_cut = [this](int sidecar, int node) {
    const NodeId cut{static_cast<std::uint32_t>(node)};
    if (view(sidecar).leader != cut) return;
    const cluster::Hint hint{cut, view(sidecar).epoch, cluster::HintKind::kClosed};
    apply(sidecar, at(sidecar).tracker.apply(hint, agenda_.now()));
  };
}

void Fleet::start(Duration spread) {
  for (int i = 0; i < size(); ++i) {
    const auto offset = prng_.below(static_cast<std::uint64_t>(spread.count()) + 1);
    agenda_.in(Duration(offset), [this, i] { apply(i, at(i).tracker.apply(cluster::Start{}, agenda_.now())); });
  }
}

void Fleet::keep_busy(Duration every) {
  for (int i = 0; i < size(); ++i) {
    agenda_.in(Duration(prng_.below(static_cast<std::uint64_t>(every.count()))), [this, i, every] { bring(i, every); });
  }
}

void Fleet::bring(int sidecar, Duration every) {
  apply(sidecar, at(sidecar).tracker.apply(cluster::Traffic{}, agenda_.now()));
  agenda_.in(every, [this, sidecar, every] { bring(sidecar, every); });
}

void Fleet::request(int sidecar) {
  Sidecar& asked = at(sidecar);
  FirstRequest first;
  first.sidecar = sidecar;
  first.came = agenda_.now();
  first.was_leader = view(sidecar).leader;
  asked.waiting = first;
  apply(sidecar, asked.tracker.apply(cluster::Traffic{}, agenda_.now()));
}

int Fleet::followers(int node) const {
  const NodeId id{static_cast<std::uint32_t>(node)};
  return static_cast<int>(std::count_if(sidecars_.begin(), sidecars_.end(), [&](const auto& each) {
    const cluster::View& view = *each->tracker.view();
    return view.leader == id && !view.suspect && !view.challenger;
  }));
}

// In the order that Step demands. The prober takes inputs one at a time; here nothing ends within the call.
void Fleet::apply(int sidecar, cluster::Step step) {
  Sidecar& own = at(sidecar);
  if (own.waiting) {
    own.waiting->conflicts +=
        static_cast<int>(std::count_if(step.events.begin(), step.events.end(), [](const cluster::Event& event) {
          return event.kind == cluster::EventKind::kConflict;
        }));
    release(own, *step.view);
  }
  for (const cluster::ProbeOrder& order : step.probes) probe(sidecar, order);
  for (const NodeId node : step.ask_leader) question(sidecar, node);
  wake(sidecar, step.wake_at);
}

void Fleet::wake(int sidecar, TimePoint when) {
  if (when == at(sidecar).wake_at) return;
  at(sidecar).wake_at = when;
  if (when == kNever) return;
  agenda_.at(when, [this, sidecar, when] {
    if (at(sidecar).wake_at != when) return;
    at(sidecar).wake_at = kNever;
    apply(sidecar, at(sidecar).tracker.apply(cluster::Tick{}, agenda_.now()));
  });
}

void Fleet::probe(int sidecar, const cluster::ProbeOrder& order) {
  Sidecar& own = at(sidecar);
  const cluster::ProbeId id = order.probe;
  const std::uint64_t exchange =
      cluster_.ask(sidecar, static_cast<int>(order.node.number), "/v1/sys/health",
                   [this, sidecar, id](const Cluster::End& end) { on_probe_end(sidecar, id, end); });
  own.probes.push_back({id, order.node, agenda_.now(), exchange});
  agenda_.in(kTimeoutCheck, [this, sidecar, id, exchange] {
    cluster_.forget(exchange);
    on_probe_end(sidecar, id, {0, "", cluster::ProbeFailure::kAnswerTimeout});
  });
}

void Fleet::on_probe_end(int sidecar, cluster::ProbeId id, const Cluster::End& end) {
  Sidecar& own = at(sidecar);
  const auto found =
      std::find_if(own.probes.begin(), own.probes.end(), [&](const Probe& each) { return each.id == id; });
  if (found == own.probes.end()) return;
  const TimePoint sent = found->sent;
  own.probes.erase(found);
  const TimePoint now = agenda_.now();
  if (end.status == 0) {
    apply(sidecar, own.tracker.apply(cluster::ProbeFailed{id, end.failure}, now));
    return;
  }
  if (own.waiting && sent >= own.waiting->came) {
    own.waiting->slowest_answer = std::max(own.waiting->slowest_answer, now - sent);
  } else if (own.waiting) {
    own.waiting->under_way = now - own.waiting->came;
  }
  const cluster::ProbeAnswer answer{id, sent, now, vault::classify_health(end.status, end.body)};
  apply(sidecar, own.tracker.apply(answer, now));
}

void Fleet::question(int sidecar, NodeId node) {
  if (at(sidecar).is_questioned[node.number]) return;
  at(sidecar).is_questioned[node.number] = true;
  const TimePoint sent = agenda_.now();
  const auto on_end = [this, sidecar, node, sent](const Cluster::End& end) {
    at(sidecar).is_questioned[node.number] = false;
    const auto facts = vault::parse_leader(end.status, end.body);
    if (!facts) return;
    const cluster::LeaderStatement statement{node, sent, agenda_.now(), facts->is_self, facts->leader_address};
    apply(sidecar, at(sidecar).tracker.apply(statement, agenda_.now()));
  };
  const std::uint64_t exchange = cluster_.ask(sidecar, static_cast<int>(node.number), "/v1/sys/leader", on_end);
  agenda_.in(kTimeoutCheck, [this, exchange, on_end] {
    if (cluster_.forget(exchange)) on_end({});
  });
}

// As a worker does it: to the target of the view, unless that is idle.
void Fleet::release(Sidecar& sidecar, const cluster::View& view) {
  if (view.idle || !view.target()) return;
  FirstRequest& first = *sidecar.waiting;
  first.sent_to = view.target();
  first.truth = cluster_.leader();
  first.waited = agenda_.now() - first.came;
  first.slowest_round_trip = first.slowest_answer;
  for (const Probe& probe : sidecar.probes) {
    if (probe.sent >= first.came)
      first.slowest_round_trip = std::max(first.slowest_round_trip, agenda_.now() - probe.sent);
  }
  first_requests_.push_back(first);
  sidecar.waiting.reset();
}

}  // namespace bellwether::bench
