#include "bellwether/probe/prober.h"

#include <algorithm>
#include <deque>
#include <iterator>
#include <utility>
#include <variant>

#include "bellwether/base/assert.h"
#include "bellwether/base/node_table.h"
#include "bellwether/probe/explain.h"
#include "bellwether/vault/health.h"
#include "node_links.h"

namespace bellwether::probe {

namespace {

// Beyond this our own loop stood still, and what looks late may only be unread.
constexpr Duration kLoopLate = 50ms;

}  // namespace

struct Prober::Impl {
  // What waits to be told to the tracker, and who wants to know whether it was accepted; perhaps nobody.
  struct Pending {
    cluster::Input input;
    OnDone on_done{};
    std::optional<ProberOptions> change{};  // of a Reconfigure, without the tracker's
  };

  // Our side of a node.
  struct Node {
    std::unique_ptr<NodeLinks> links;
    ProbeCounts counts;
  };

  Impl(net::Loop& l, ProberOptions options, OnView view, OnEvents events)
      : loop(l),
        tracker(std::move(options.tracker)),
        on_view(std::move(view)),
        on_events(std::move(events)),
        link_options(link_options_of(options)),
        wake(l, [this] { on_wake(); }) {
    set_targets(*tracker.view()->topology, options.targets);
  }

  [[nodiscard]] static LinkOptions link_options_of(const ProberOptions& options) {
    return {options.timeout_connect, options.timeout_check, options.source, net::proxy_header_local(options.send_proxy),
            options.headers};
  }

  void set_targets(const cluster::Topology& topology, const std::vector<ProbeTarget>& targets) {
    BW_ASSERT(topology.nodes.size() == targets.size());
    for (const NodeId id : nodes.ids()) {
      if (!topology.nodes.has(id)) retire(std::move(nodes.at(id).links));
    }
    nodes.keep_if([&](NodeId id, const Node& /*node*/) { return topology.nodes.has(id); });
    for (std::size_t i = 0; i < targets.size(); ++i) {
      const NodeId id = topology.nodes.ids()[i];
      if (Node* const known = nodes.find(id)) {
        known->links->set_options(link_options);
        known->links->set_target(targets[i]);
      } else {
        add(id, targets[i]);
      }
    }
  }

  void add(NodeId id, const ProbeTarget& target) {
    Node& node = nodes.add(id);
    node.links = std::make_unique<NodeLinks>(
        loop, target, link_options,
        [this, id](cluster::ProbeId probe, ProbeEnd end) { on_probe_end(id, probe, std::move(end)); },
        [this, id](ProbeEnd end) { on_question_end(id, end); },
        [this, id](wire::ExchangeFailure failure) { on_idle_end(id, failure); },
        [this, id] { tell(cluster::LostSyn{id}); });
    node.counts.failures.resize(cluster::kProbeFailureCount + 1);
    node.counts.duration_buckets.resize(std::size(kProbeBuckets) + 1);
  }

  // It says nothing more, and is destroyed when none of its callbacks can be running.
  void retire(std::unique_ptr<NodeLinks> links) {
    links->close();
    loop.at_turn_end([dead = std::shared_ptr<NodeLinks>(std::move(links))] {});
  }

  // Inputs are taken one at a time: a step's orders may fail within the call, and a callback may bring the next input.
  void tell(cluster::Input input, OnDone on_done = {}, std::optional<ProberOptions> change = {}) {
    pending.push_back({std::move(input), std::move(on_done), std::move(change)});
    // What the loop read late must not be judged before the tracker knows that we were late.
    if (!running && !is_late()) run();
  }

  void run() {
    running = true;
    while (!pending.empty()) {
      const Pending next = std::move(pending.front());
      pending.pop_front();
      const auto* const change = std::get_if<cluster::Reconfigure>(&next.input);
      if (change != nullptr) {
        link_options = link_options_of(*next.change);
        set_targets(*change->options.topology, next.change->targets);
      }
      const cluster::Step step = tracker.apply(next.input, loop.precise_now());
      perform(step);
      if (next.on_done) next.on_done(step.refused ? Result<void>(tl::unexpected(*step.refused)) : Result<void>());
    }
    running = false;
  }

  void perform(const cluster::Step& step) {
    woken_for = step.wake_at;
    wake.arm_at(stopped > Duration::zero() ? loop.now() : step.wake_at);
    if (on_armed) on_armed(step.wake_at);
    if (step.view != published) {
      published = step.view;
      on_view(step.view);
    }
    if (step.claim && on_claim) on_claim(*step.claim);
    if (!step.events.empty()) on_events(step.events);
    for (const auto& order : step.probes) links(order.node).probe(order.probe, order.fresh_connection);
    for (const NodeId node : step.ask_leader) links(node).ask_leader();
  }

  [[nodiscard]] bool is_late() const {
    const bool is_overdue = wake.is_armed() && loop.precise_now() - wake.due() > kLoopLate;
    return is_overdue || stopped > Duration::zero();
  }

  // Sockets are read in this turn, and on_wake() runs after them.
  void on_stopped(Duration lasted) {
    stopped = std::max(stopped, lasted);
    if (!wake.is_armed() || wake.due() > loop.now()) wake.arm_at(loop.now());
  }

  // The turn's sockets have all been read: timers come after them.
  void on_wake() {
    const TimePoint woken = loop.precise_now();
    const Duration overdue = woken_for < woken ? woken - woken_for : Duration::zero();
    const Duration late = std::max(overdue, std::exchange(stopped, Duration::zero()));
    if (late > kLoopLate) pending.push_front({cluster::LoopLate{late}});
    if (look_at_traffic && tracker.view()->leader) take_traffic(*tracker.view()->leader);
    pending.push_back({cluster::Tick{}});
    if (!running) run();
  }

  void take_traffic(NodeId leader) {
    const LiveTraffic seen = look_at_traffic(leader);
    pending.push_back({cluster::LiveAnswer{leader, seen.answered_request}});
    pending.push_back({cluster::ExchangesWaiting{seen.waiting, seen.any_completed}});
  }

  [[nodiscard]] NodeLinks& links(NodeId node) { return *nodes.at(node).links; }

  void on_probe_end(NodeId node, cluster::ProbeId probe, ProbeEnd end) {
    ProbeCounts& count = nodes.at(node).counts;
    ++count.probes;
    if (end) {
      cluster::ProbeAnswer answer{probe, end->sent, end->received, vault::classify_health(end->status, end->body)};
      if (answer.facts.role == cluster::Role::kError) {
        ++count.failures.back();
        answer.facts.problem = vault::explain_error(links(node).set_up(), answer.facts.status, answer.facts.problem);
      }
      observe(count, to_seconds(end->received - end->sent));
      return tell(std::move(answer));
    }
    const auto failure = probe_failure(end.error().failure);
    std::string cause = cause_of(links(node), failure, end.error().message);
    if (failure) {
      ++count.failures[static_cast<std::size_t>(*failure)];
      return tell(cluster::ProbeFailed{probe, *failure, std::move(cause)});
    }
    ++count.failures.back();
    const TimePoint now = loop.precise_now();
    cluster::ProbeAnswer garbled{probe, now, now, {}};
    garbled.facts.role = cluster::Role::kError;
    garbled.facts.problem = std::move(cause);
    tell(std::move(garbled));
  }

  static std::string cause_of(const NodeLinks& link, std::optional<cluster::ProbeFailure> failure,
                              std::string_view message) {
    const vault::NodeSetUp& set_up = link.set_up();
    return vault::explain_silence(set_up, failure, message_for(set_up.host, link.address(), message));
  }

  static void observe(ProbeCounts& count, double seconds) {
    const auto* bucket = std::lower_bound(std::begin(kProbeBuckets), std::end(kProbeBuckets), seconds);
    ++count.duration_buckets[static_cast<std::size_t>(bucket - std::begin(kProbeBuckets))];
    count.duration_sum_s += seconds;
  }

  void on_question_end(NodeId node, const ProbeEnd& end) {
    if (!end) return;
    const auto facts = vault::parse_leader(end->status, end->body);
    if (!facts) return;
    tell(cluster::LeaderStatement{node, end->sent, end->received, facts->is_self, facts->leader_address,
                                  facts->identity});
  }

  // The leader ended a connection that was quiet: perhaps it is going down.
  void on_idle_end(NodeId node, wire::ExchangeFailure failure) {
    const cluster::ViewPtr& view = tracker.view();
    if (view->leader != node) return;
    const auto kind = failure == wire::ExchangeFailure::kReset ? cluster::HintKind::kReset : cluster::HintKind::kClosed;
    tell(cluster::Hint{node, view->epoch, kind});
  }

  net::Loop& loop;
  cluster::LeaderTracker tracker;
  OnView on_view;
  OnEvents on_events;
  OnClaim on_claim;
  OnArmed on_armed;
  LookAtTraffic look_at_traffic;
  LinkOptions link_options;
  NodeTable<Node> nodes;
  std::deque<Pending> pending;
  bool running = false;
  cluster::ViewPtr published;
  TimePoint woken_for = kNever;
  Duration stopped{};  // this thread stood still, and the tracker does not know yet
  net::Timer wake;
};

Prober::Prober(net::Loop& loop, ProberOptions options, OnView on_view, OnEvents on_events)
    : impl_(std::make_unique<Impl>(loop, std::move(options), std::move(on_view), std::move(on_events))) {}

Prober::~Prober() = default;

void Prober::set_on_claim(OnClaim on_claim) { impl_->on_claim = std::move(on_claim); }

void Prober::set_look_at_traffic(LookAtTraffic look) { impl_->look_at_traffic = std::move(look); }

void Prober::set_on_armed(OnArmed on_armed) { impl_->on_armed = std::move(on_armed); }

void Prober::start(const std::optional<cluster::FormerLead>& former) { impl_->tell(cluster::Start{former}); }

void Prober::on_former_lead(const cluster::FormerLead& former) { impl_->tell(former); }

const cluster::ViewPtr& Prober::view() const { return impl_->tracker.view(); }

cluster::ViewPtr Prober::snapshot() const { return impl_->tracker.snapshot(impl_->loop.precise_now()); }

void Prober::on_hint(const cluster::Hint& hint) { impl_->tell(hint); }

void Prober::on_traffic() { impl_->tell(cluster::Traffic{}); }

void Prober::on_claim_wanted(TimePoint since) { impl_->tell(cluster::ClaimWanted{since}); }

void Prober::on_stopped(Duration lasted) { impl_->on_stopped(lasted); }

void Prober::set_admin_state(NodeId node, cluster::AdminState state, bool force, OnDone on_done) {
  impl_->tell(cluster::SetAdminState{node, state, force}, std::move(on_done));
}

void Prober::repin() { impl_->tell(cluster::Repin{}); }

void Prober::pause(Duration at_most) { impl_->tell(cluster::Pause{at_most}); }

void Prober::resume() { impl_->tell(cluster::Resume{}); }

void Prober::set_unresolved(NodeId node, const std::string& why) { impl_->links(node).set_unresolved(why); }

void Prober::on_same_server(NodeId node, std::optional<NodeId> other, const std::string& why) {
  impl_->tell(cluster::SameServer{node, other, why});
}

void Prober::ask_leader(NodeId node) {
  if (impl_->nodes.has(node)) impl_->links(node).ask_leader();
}

void Prober::set_address(NodeId node, const net::Address& address) { impl_->links(node).set_address(address); }

void Prober::reconfigure(ProberOptions options, OnDone on_done) {
  cluster::Reconfigure input{std::move(options.tracker)};
  impl_->tell(std::move(input), std::move(on_done), std::move(options));
}

void Prober::set_tls(const std::shared_ptr<net::TlsContext>& tls) {
  for (auto& node : impl_->nodes) node.links->set_tls(tls);
}

const ProbeCounts& Prober::counts(NodeId node) const { return impl_->nodes.at(node).counts; }

const std::optional<net::Address>& Prober::address(NodeId node) const { return impl_->links(node).address(); }

}  // namespace bellwether::probe
