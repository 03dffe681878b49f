#include "cluster_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <random>
#include <utility>

#include "app/discovery/name_refresh.h"
#include "app/process/log.h"
#include "app/report/event_log.h"
#include "app/report/leaderless_report.h"
#include "app/report/request_log.h"
#include "app/report/room_log.h"
#include "app/report/tally.h"
#include "app/report/timeline.h"
#include "bellwether/config/difference.h"
#include "bellwether/net/inherited.h"
#include "bellwether/probe/prober.h"
#include "listener_report.h"
#include "node_set.h"
#include "plan.h"
#include "tls_sides.h"

namespace bellwether::app {

namespace {

constexpr Duration kSamePause = 100ms;  // two ends closer together are those of one pause
constexpr Duration kTimeToTell = 1s;    // to clients that their request was held for too long

void add_names(const NameAnswers& answers, metrics::ControlValues& values) {
  const std::vector<NameAnswers::Report> names = answers.reports();
  const auto unanswered =
      std::count_if(names.begin(), names.end(), [](const auto& each) { return !each.problem.empty(); });
  values.names_answered = static_cast<double>(answers.answers());
  values.names_failed = static_cast<double>(answers.failures());
  values.names_unanswered = static_cast<double>(unanswered);
}

}  // namespace

struct ClusterService::Next {
  config::Config config;
  std::vector<NodePlan> plans;
  admin::ReloadReport report;
  TlsSides::ChangePtr tls;
  TlsContexts contexts;
  probe::ProberOptions probing;
  proxy::ProxySettings settings;
  std::shared_ptr<proxy::ListenerChange> listeners{};  // bound; null: nothing is to be changed
  bool is_for_names = false;                           // the configuration is the same
};

struct ClusterService::Impl {
  Impl(net::Loop& loop, net::Resolver& r, const config::Config& c, ClusterSurroundings s)
      : control(loop),
        resolver(r),
        config(c),
        cluster_log(c.cluster),
        around(std::move(s)),
        alive(std::make_shared<Impl*>(this)),
        tls(loop, cluster_log),
        room_log(cluster_log),
        nodes(loop, r, config, around.listeners_elsewhere, cluster_log) {}

  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  // From any thread: `work` runs on the control thread, if we still live then.
  template <typename Work>
  void post(Work work) {
    control.post([weak = std::weak_ptr(alive), work = std::move(work)] {
      if (const auto self = weak.lock()) work(**self);
    });
  }

  void prepare_open(Duration patience, std::function<void(const Result<void>&)> on_prepared) {
    const auto use_found = [weak = std::weak_ptr(alive), on_prepared = std::move(on_prepared)](ResolvedNames found) {
      const auto self = weak.lock();
      if (!self) return;
      if (auto taken = (*self)->nodes.take_first(usable_answers(std::move(found.names))); !taken) {
        return on_prepared(taken);
      }
      (*self)->prepare_tls(on_prepared);
    };
    resolve_all_later(control, resolver, config.nodes, patience, use_found);
  }

  void prepare_tls(const std::function<void(const Result<void>&)>& on_prepared) {
    tls.prepare(config, nodes.any_is_tls(), [this, on_prepared](const Result<TlsSides::ChangePtr>& prepared) {
      if (!prepared) return on_prepared(tl::unexpected(prepared.error()));
      first_tls = *prepared;
      on_prepared({});
    });
  }

  Result<void> finish_open() {
    tls.use(*std::exchange(first_tls, nullptr));
    return make_prober().and_then([this] { return make_proxy(); });
  }

  Result<void> make_prober() {
    auto options = prober_options(config, nodes.plans(), tls.contexts().to_nodes);
    if (!options) return tl::unexpected(options.error());
    prober = std::make_unique<probe::Prober>(
        control, std::move(*options), [this](const cluster::ViewPtr& view) { on_view(view); },
        [this](const std::vector<cluster::Event>& events) { on_events(events); });
    return {};
  }

  Result<void> make_proxy() {
    auto options = proxy_options(config, nodes.plans(), tls.contexts());
    if (!options) return tl::unexpected(options.error());
    request_log.emplace(cluster_log, config.log_requests, [this](admin::AmbiguousRequest one) {
      post([one = std::move(one)](Impl& self) { self.keep_ambiguous(one); });
    });
    options->waits_to_accept = true;
    auto made = proxy::Proxy::start(control, std::move(*options), proxy_callbacks());
    if (!made) return tl::unexpected(made.error());
    proxy = std::move(*made);
    connect_prober();
    make_timeline();
    make_leaderless_report();
    return {};
  }

  proxy::ProxyCallbacks proxy_callbacks() {
    proxy::ProxyCallbacks callbacks;
    callbacks.on_hint = [this](const cluster::Hint& hint) { post([hint](Impl& self) { self.prober->on_hint(hint); }); };
    callbacks.on_traffic = [this] { post([](Impl& self) { self.on_traffic(); }); };
    callbacks.on_first_success = [this](Epoch epoch) {
      post([epoch](Impl& self) { self.timeline->on_first_success(epoch); });
    };
    callbacks.on_claim_wanted = [this](TimePoint since) { prober->on_claim_wanted(since); };
    callbacks.on_session_end = [this](const proxy::SessionRecord& session) {
      log_session(cluster_log, session, log::writes_debug());
    };
    callbacks.on_request_end = [this](const proxy::RequestRecord& request) { request_log->on_request_end(request); };
    callbacks.on_stream_ended = [this](NodeId, const std::string& node) {
      cluster_log.warn("stream_ended",
                       {{"node", node},
                        {"why", std::string("the node blocks: an open monitor or event stream would hold up "
                                            "its step-down for up to 90 s")}});
    };
    callbacks.on_room_made = [this](std::size_t ended) { post([ended](Impl& self) { self.on_room_made(ended); }); };
    callbacks.on_redirect_loop = [this](const std::string& listener, const std::string& target) {
      post([listener, target](Impl& self) { self.on_redirect_loop(listener, target); });
    };
    return callbacks;
  }

  void connect_prober() {
    prober->set_on_claim([this](const cluster::Claim& claim) { proxy->confirm(claim); });
    prober->set_on_armed([this](TimePoint wake_at) { proxy->expect_control_by(wake_at); });
    prober->set_look_at_traffic([this](NodeId leader) {
      const proxy::LiveTraffic seen = proxy->live(leader);
      const bool any_completed = control.precise_now() - seen.last_answer < proxy::kWaitingLong;
      return probe::LiveTraffic{seen.answered_request, seen.waiting, any_completed};
    });
  }

  void make_timeline() {
    TimelineSources sources;
    sources.log = cluster_log;
    sources.snapshot = [this] { return prober->snapshot(); };
    sources.traffic = [this] { return failover_traffic(proxy->counts(), has_http_listener(config)); };
    sources.ask_leader = [this](NodeId node) { prober->ask_leader(node); };
    timeline = std::make_unique<Timeline>(control, std::move(sources));
  }

  void make_leaderless_report() {
    LeaderlessSources sources;
    sources.log = cluster_log;
    sources.snapshot = [this] { return prober->snapshot(); };
    sources.ask_leader = [this](NodeId node) { prober->ask_leader(node); };
    sources.wall_at = around.wall_at;
    leaderless_report = std::make_unique<LeaderlessReport>(control, std::move(sources));
  }

  void begin(const ClusterHandover* before) {
    warn_of_no_verification();
    warn_of_invalid_certificates(cluster_log, tls.contexts());
    if (before != nullptr) take_over_history(*before);
    prober->start(before != nullptr ? before->former_lead(*prober->view()->topology) : std::nullopt);
    if (before != nullptr) take_over_orders(*before);
    nodes.begin(*prober, *proxy);
    refresh_names();
    watch_certificates();
    // While there is a process that this one replaces, that one serves.
    if (!net::InheritedSockets::process().has_predecessor()) proxy->begin_accepting();
  }

  void take_over_history(const ClusterHandover& theirs) {
    const ClusterHandover here = theirs.placed_in(*prober->view()->topology);
    tally.take_over(here.tally);
    timeline->take_over(here.failovers, here.epoch);
  }

  // Nobody led here until now by what is not known to that process as well, but perhaps a leader of a moment ago.
  void take_over(const ClusterHandover& theirs) {
    if (const auto former = theirs.former_lead(*prober->view()->topology)) prober->on_former_lead(*former);
    take_over_history(theirs);
    take_over_orders(theirs);
  }

  // The operator's, as they are in force there.
  void take_over_orders(const ClusterHandover& theirs) {
    const cluster::ViewPtr view = prober->view();
    for (const NodeId node : view->nodes.ids()) {
      const cluster::AdminState wanted = theirs.admin_state_of(view->name(node));
      if (view->nodes.at(node).admin == wanted) continue;
      prober->set_admin_state(node, wanted, /*force=*/true, [](const Result<void>&) {});
    }
    const TimePoint now = control.precise_now();
    const TimePoint until = theirs.paused_until.value_or(now);
    if (until <= now) {
      if (view->paused_until) prober->resume();
    } else if (!view->paused_until || std::chrono::abs(until - *view->paused_until) > kSamePause) {
      prober->pause(std::chrono::ceil<std::chrono::milliseconds>(until - now));
    }
  }

  [[nodiscard]] ClusterHandover hand_over() const {
    const cluster::View& view = *prober->view();
    ClusterHandover all;
    all.name = config.cluster;
    all.epoch = view.epoch;
    all.tally = tally.hand_over();
    all.failovers = timeline->hand_over();
    all.is_over = !view.leader;
    all.since = view.leader ? view.leader_since : view.leaderless_since.value_or(view.at);
    for (const NodeId node : view.nodes.ids()) {
      const cluster::AdminState admin = view.nodes.at(node).admin;
      if (admin != cluster::AdminState::kReady) all.taken_out.push_back({std::string(view.name(node)), admin});
    }
    all.paused_until = view.paused_until;
    all.leader = all.tally.led_before_name;
    if (all.tally.led_before) {
      if (const auto* node = view.topology->nodes.find(*all.tally.led_before)) {
        all.leader = all.tally.led_before_name = node->name;
        all.leader_url = node->url;
      }
    }
    return all;
  }

  void warn_of_no_verification() const {
    if (config.verify || !nodes.any_is_tls()) return;
    cluster_log.warn("tls_verify_off", {{"why", std::string("verify is off: certificates of nodes are not checked")}});
  }

  void watch_certificates() {
    const auto to_nodes = [this](const Certificates::Context& made) {
      return proxy->set_node_tls(made).map([this, &made] { prober->set_tls(made); });
    };
    const auto to_clients = [this](const Certificates::Context& before, const Certificates::Context& made) {
      proxy->renew_client_tls(before, made);
    };
    tls.watch(config.tls_reload_interval, to_nodes, to_clients);
  }

  [[nodiscard]] NodeStates node_states() {
    const auto seen = [this](NodeId id) { return prober->view()->nodes.find(id); };
    return {.is_down = [this](NodeId id) { return nodes.is_down(id); },
            .is_held =
                [seen](NodeId id) {
                  const cluster::NodeView* const node = seen(id);
                  return node != nullptr && node->admin != cluster::AdminState::kReady;
                },
            .cluster_id =
                [seen](NodeId id) {
                  const cluster::NodeView* const node = seen(id);
                  return node != nullptr && node->up ? node->facts.cluster_id : std::string();
                },
            .says_it_leads =
                [seen](NodeId id) {
                  const cluster::NodeView* const node = seen(id);
                  return node != nullptr && node->up && node->facts.role == cluster::Role::kActive;
                },
            .is_leader = [this](NodeId id) { return prober->view()->leader == id; },
            .is_cluster_given = [this] { return !config.cluster_id.empty(); }};
  }

  void refresh_names() {
    NameRefresh::Sources sources;
    sources.log = cluster_log;
    sources.config = [this]() -> const config::Config& { return config; };
    sources.plans = [this]() -> const std::vector<NodePlan>& { return nodes.plans(); };
    sources.states = node_states();
    sources.move = [this](NodeId node, const net::Address& address) { nodes.on_answer(node, {address}); };
    sources.use = [this](std::vector<ResolvedName> found) {
      return around.run_alone([this, found = std::move(found)](const std::function<void()>& on_done) mutable {
        use_names(std::move(found), on_done);
      });
    };
    name_refresh.emplace(control, resolver, std::random_device{}(), std::move(sources));
    name_refresh->on_view(*prober->view());
  }

  // The configuration of now, with what its names lead to now.
  void use_names(std::vector<ResolvedName> found, const std::function<void()>& on_done) {
    plan(config, std::move(found), [this, on_done](const Result<NextPtr>& made) {
      const auto refuse = [this, &on_done](const Error& why) {
        on_names_used({.problems = {why.message}});
        on_done();
      };
      if (!made) return refuse(made.error());
      const NextPtr& next = *made;
      next->is_for_names = true;
      if (const auto bound = bind(*next); !bound) return refuse(bound.error());
      use(next, [this, next, on_done] {
        on_names_used(next->report);
        on_done();
      });
    });
  }

  // What is refused is refused again with each answer until the name leads elsewhere; it is told once.
  void on_names_used(const admin::ReloadReport& report) {
    const bool is_known = report.problems == names_problems;
    names_problems = report.problems;
    if (is_known && !report.problems.empty()) return;
    for (const std::string& each : report.problems) cluster_log.error("names_refused", {{"why", each}});
    if (report.changes.empty()) return;
    cluster_log.info("nodes_changed", {{"changes", fmt::format("{}", fmt::join(report.changes, "; "))}});
  }

  void prepare(const config::Config& wanted, Duration patience, OnPrepared on_prepared) {
    const auto use_found = [weak = std::weak_ptr(alive), wanted,
                            on_prepared = std::move(on_prepared)](ResolvedNames found) {
      const auto self = weak.lock();
      if (!self) return;
      const bool is_careful = wanted.dns_refresh > Duration::zero();
      auto usable = is_careful ? keep_missing_addresses(wanted.nodes, (*self)->nodes.plans(), std::move(found.names),
                                                        (*self)->node_states())
                               : usable_answers(std::move(found.names));
      (*self)->plan(wanted, std::move(usable), on_prepared);
    };
    resolve_all_later(control, resolver, wanted.nodes, patience, use_found);
  }

  void plan(const config::Config& wanted, std::vector<ResolvedName> found, const OnPrepared& on_prepared) {
    const auto next = std::make_shared<Next>();
    next->config = config;
    config::take_over_reloadable(wanted, next->config);
    auto plans = nodes.plan(next->config, std::move(found), next->report.hints);
    if (!plans) return on_prepared(tl::unexpected(plans.error()));
    next->plans = std::move(*plans);
    const auto part = config.cluster.empty() ? config::Part::kAll : config::Part::kCluster;
    const config::Differences differences = config::differences(config, wanted, part);
    next->report.changes = node_changes(nodes.plans(), next->plans);
    next->report.changes.insert(next->report.changes.end(), differences.reloadable.begin(),
                                differences.reloadable.end());
    next->report.needs_restart = differences.others;
    const bool any_is_tls =
        std::any_of(next->plans.begin(), next->plans.end(), [](const auto& each) { return each.tls; });
    tls.prepare(next->config, any_is_tls, [this, next, on_prepared](const Result<TlsSides::ChangePtr>& prepared) {
      if (!prepared) return on_prepared(tl::unexpected(prepared.error()));
      next->tls = *prepared;
      next->contexts = tls.contexts_with(*next->tls);
      on_prepared(make_options(*next).map([&next] { return next; }));
    });
  }

  static Result<void> make_options(Next& next) {
    auto probing = prober_options(next.config, next.plans, next.contexts.to_nodes);
    if (!probing) return tl::unexpected(probing.error());
    next.probing = std::move(*probing);
    auto settings = proxy_settings(next.config);
    if (!settings) return tl::unexpected(settings.error());
    next.settings = std::move(*settings);
    return {};
  }

  Result<void> bind(Next& next) {
    if (!next.report.changes.empty()) {
      auto bound = listeners_of(next.config, next.contexts.to_clients).and_then([&](const auto& wanted) {
        return proxy->bind_listeners(wanted, next.settings);
      });
      if (!bound) return tl::unexpected(bound.error());
      next.listeners = std::move(*bound);
    }
    return {};
  }

  void use_node_tls(const Next& next) {
    if (!next.tls->nodes || !next.contexts.to_nodes) return;
    if (const auto set = proxy->set_node_tls(next.contexts.to_nodes); !set) {
      cluster_log.error("node_tls_unchanged", {{"why", set.error().message}});
    }
  }

  void use(const NextPtr& next, std::function<void()> on_done) {
    use_node_tls(*next);
    proxy->set_settings(std::move(next->settings));  // before listeners that may need them
    if (next->listeners) proxy->use_listeners(*next->listeners);
    tls.use(*next->tls);
    const config::Config before = std::exchange(config, std::move(next->config));
    tls.set_interval(config.tls_reload_interval);
    request_log->set_logs_all(config.log_requests);
    say_new_listeners(cluster_log, before.listen, config.listen, proxy->addresses());
    if (!next->is_for_names) {
      name_refresh->on_config();
      warn_of_invalid_certificates(cluster_log, tls.contexts());
    }
    if (next->report.changes.empty()) return on_done();
    nodes.use(std::move(next->plans), std::move(next->probing),
              [this, used = next->contexts.to_nodes, was_verifying = before.verify, done = std::move(on_done)] {
                // Certificates may have been read meanwhile, and the targets knew those of before.
                if (tls.contexts().to_nodes != used) prober->set_tls(tls.contexts().to_nodes);
                if (was_verifying) warn_of_no_verification();
                proxy->when_all_have_it(done);
              });
  }

  Duration leave(std::function<void()> on_idle) {
    is_leaving = true;
    name_refresh.reset();
    const auto none = proxy_settings(config).and_then(
        [this](const proxy::ProxySettings& settings) { return proxy->bind_listeners({}, settings); });
    if (none) proxy->use_listeners(**none);
    proxy->shut_down(std::move(on_idle));
    Duration at_most = std::max({config.drain_deadline, config.hold_timeout_http, config.hold_timeout_tcp});
    for (const config::Listen& each : config.listen) {
      at_most = std::max({at_most, each.drain_deadline, each.hold_timeout_http, each.hold_timeout_tcp});
    }
    return at_most + kTimeToTell;
  }

  void on_view(const cluster::ViewPtr& view) {
    leaderless_report->on_view(*view);
    tally.on_view(*view);
    proxy->publish(view);
    if (name_refresh) name_refresh->on_view(*view);
    if (!is_leaving) around.on_view();
  }

  void on_events(const std::vector<cluster::Event>& events) {
    for (const auto& event : events) {
      tally.record(event);
      log_event(cluster_log, event);
    }
    timeline->on_events(events);
    if (!is_leaving) around.on_events(events);
  }

  void on_traffic() {
    prober->on_traffic();
    timeline->on_traffic();
    around.on_traffic();
  }

  void on_room_made(std::uint64_t ended) {
    room_log.on_room_made("clients", fmt::format("maxconn {}", config.maxconn), ended, control.now());
  }

  void keep_ambiguous(const admin::AmbiguousRequest& request) {
    constexpr std::size_t kMaxAmbiguous = 100;
    ambiguous.push_back(request);
    if (ambiguous.size() > kMaxAmbiguous) ambiguous.pop_front();
  }

  // Said once per target: a client that loops would fill the log.
  void on_redirect_loop(const std::string& listener, const std::string& target) {
    constexpr std::size_t kMostTargets = 64;
    if (looping_targets.size() >= kMostTargets) return;
    if (std::find(looping_targets.begin(), looping_targets.end(), target) != looping_targets.end()) return;
    looping_targets.push_back(target);
    cluster_log.error(
        "redirect_loop",
        {{"listener", listener},
         {"target", target},
         {"why", std::string("the leader's address leads back to us; give the node its own public_address")}});
  }

  [[nodiscard]] ClusterScrape scrape() {
    const cluster::ViewPtr view = prober->snapshot();
    NodeTable<probe::ProbeCounts> probes;
    for (const NodeId node : view->nodes.ids()) probes.add(node, prober->counts(node));
    return {.name = config.cluster,
            .view = view,
            .probes = std::move(probes),
            .proxy = proxy->counts(),
            .values = values(*view),
            .failovers = timeline->counts(),
            .client_cert = tls.nodes().counts(),
            .server_cert = tls.client_counts()};
  }

  [[nodiscard]] metrics::ControlValues values(const cluster::View& view) {
    metrics::ControlValues values = tally.values(control.precise_now());
    values.leader_since = view.leader ? unix_seconds(around.wall_at(view.leader_since)) : 0;
    values.maxconn = config.maxconn;
    values.tls_verify = config.verify;
    if (name_refresh) add_names(name_refresh->answers(), values);
    return values;
  }

  [[nodiscard]] std::vector<admin::NameState> names_for_people() {
    std::vector<admin::NameState> names;
    if (!name_refresh) return names;
    for (const NameAnswers::Report& each : name_refresh->answers().reports()) {
      names.push_back(
          {each.host, each.answered ? std::optional(around.wall_at(*each.answered)) : std::nullopt, each.problem});
    }
    return names;
  }

  [[nodiscard]] std::shared_ptr<const admin::ClusterSources> make_sources() {
    auto sources = std::make_shared<admin::ClusterSources>();
    sources->name = config.cluster;
    sources->view = [this] { return prober->snapshot(); };
    sources->set_admin_state = [this](NodeId node, cluster::AdminState state, bool force,
                                      admin::ClusterSources::OnDone on_done) {
      prober->set_admin_state(node, state, force, std::move(on_done));
    };
    sources->repin = [this]() -> Result<void> {
      prober->repin();
      return {};
    };
    sources->pause = [this](Duration at_most) { prober->pause(at_most); };
    sources->resume = [this] { prober->resume(); };
    sources->names = [this] { return names_for_people(); };
    sources->listeners = [this] { return listener_texts(config.listen, proxy->addresses(), tls.contexts()); };
    sources->counters = [this] { return page_counters(proxy->counts(), tally); };
    sources->failovers = [this] { return timeline->failovers(); };
    sources->ambiguous = [this] { return std::vector<admin::AmbiguousRequest>(ambiguous.rbegin(), ambiguous.rend()); };
    return sources;
  }

  net::Loop& control;
  net::Resolver& resolver;
  config::Config config;
  const log::ClusterLog cluster_log;
  const ClusterSurroundings around;
  std::shared_ptr<Impl*> alive;

  bool is_leaving = false;

  TlsSides tls;
  TlsSides::ChangePtr first_tls{};  // between prepare_open() and finish_open()
  Tally tally;
  std::unique_ptr<Timeline> timeline;
  std::unique_ptr<LeaderlessReport> leaderless_report;
  std::optional<RequestLog> request_log;
  std::deque<admin::AmbiguousRequest> ambiguous;  // the newest last
  std::vector<std::string> looping_targets;
  RoomLog room_log;

  // Destroyed from the last to the first: what calls others goes before them.
  std::unique_ptr<proxy::Proxy> proxy;
  std::unique_ptr<probe::Prober> prober;
  NodeSet nodes;
  std::optional<NameRefresh> name_refresh;  // from begin() on
  std::vector<std::string> names_problems;  // of the latest answers
  std::shared_ptr<const admin::ClusterSources> for_admin = make_sources();
};

ClusterService::ClusterService(net::Loop& loop, net::Resolver& resolver, const config::Config& config,
                               ClusterSurroundings surroundings)
    : impl_(std::make_unique<Impl>(loop, resolver, config, std::move(surroundings))) {}

ClusterService::~ClusterService() = default;

void ClusterService::prepare_open(Duration patience, std::function<void(const Result<void>&)> on_prepared) {
  impl_->prepare_open(patience, std::move(on_prepared));
}

Result<void> ClusterService::finish_open() { return impl_->finish_open(); }

void ClusterService::say_listeners() {
  say_new_listeners(impl_->cluster_log, {}, impl_->config.listen, impl_->proxy->addresses());
}

void ClusterService::begin(const ClusterHandover* before) { impl_->begin(before); }

void ClusterService::take_over(const ClusterHandover& theirs) { impl_->take_over(theirs); }

ClusterHandover ClusterService::hand_over() const { return impl_->hand_over(); }

void ClusterService::stop_recording() { impl_->timeline->stop(); }

void ClusterService::prepare(const config::Config& wanted, Duration patience, OnPrepared on_prepared) {
  impl_->prepare(wanted, patience, std::move(on_prepared));
}

Result<void> ClusterService::bind(Next& next) { return impl_->bind(next); }

void ClusterService::use(const NextPtr& next, std::function<void()> on_done) { impl_->use(next, std::move(on_done)); }

const admin::ReloadReport& ClusterService::report_of(const Next& next) { return next.report; }

const config::Config& ClusterService::config_of(const Next& next) { return next.config; }

void ClusterService::reload_certificates() { impl_->tls.reload(); }

void ClusterService::on_stopped(Duration lasted) {
  if (lasted < impl_->config.suspect_after) return;
  impl_->proxy->require_claim_since(impl_->control.now());
  impl_->prober->on_stopped(lasted);
}

Duration ClusterService::leave(std::function<void()> on_idle) { return impl_->leave(std::move(on_idle)); }

proxy::Proxy& ClusterService::proxy() { return *impl_->proxy; }

const config::Config& ClusterService::config() const { return impl_->config; }

const std::vector<config::Listen>& ClusterService::listeners() const { return impl_->nodes.listeners(); }

const cluster::ViewPtr& ClusterService::view() const { return impl_->prober->view(); }

bool ClusterService::is_settled() const {
  const cluster::View& seen = *view();
  const auto was_asked = [&seen](NodeId node) {
    const cluster::NodeView& one = seen.nodes.at(node);
    return one.answered_at.has_value() || one.failure.has_value();
  };
  const std::vector<NodeId>& ids = seen.nodes.ids();
  return seen.leader || std::all_of(ids.begin(), ids.end(), was_asked);
}

std::string ClusterService::node_names() const { return impl_->nodes.names(); }

ClusterScrape ClusterService::scrape() { return impl_->scrape(); }

std::shared_ptr<const admin::ClusterSources> ClusterService::sources() const { return impl_->for_admin; }

}  // namespace bellwether::app
