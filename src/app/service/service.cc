#include "service.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <random>
#include <utility>

#include "admin_access.h"
#include "app/discovery/name_refresh.h"
#include "app/discovery/nodes.h"
#include "app/files/file_watch.h"
#include "app/process/log.h"
#include "app/report/collect.h"
#include "app/report/event_log.h"
#include "app/report/leaderless_report.h"
#include "app/report/request_log.h"
#include "app/report/room_log.h"
#include "app/report/tally.h"
#include "app/report/timeline.h"
#include "bellwether/admin/admin.h"
#include "bellwether/config/difference.h"
#include "bellwether/net/inherited.h"
#include "bellwether/net/process.h"
#include "bellwether/net/resolver.h"
#include "bellwether/probe/prober.h"
#include "bellwether/proxy/proxy.h"
#include "control_path.h"
#include "listener_report.h"
#include "log_level_keeper.h"
#include "memory_keeper.h"
#include "node_set.h"
#include "plan.h"
#include "shut_down.h"
#include "supervisor_report.h"
#include "tls_sides.h"
#include "upgrade.h"

namespace bellwether::app {

namespace {

constexpr Duration kConfigLook = 1s;
constexpr Duration kConfigRetry = 5s;

constexpr std::string_view kNoControlPlace =
    "there is no place for the control socket, so pause, resume, node, repin and reload cannot reach this process: "
    "make "
    "/run/bellwether writable for its user (RuntimeDirectory=bellwether in systemd; install -d -o USER "
    "/run/bellwether), "
    "set XDG_RUNTIME_DIR, or name a path with control (BELLWETHER_CONTROL); \"off\" ends this warning";

constexpr std::string_view kNoFileToReload =
    "the running process was started without a configuration file that can be read again: no reload uses this one";

WallTime wall_now() { return std::chrono::system_clock::now(); }

// Whoever waits for an answer has one: somebody leads, or all nodes were asked and nobody does.
bool is_settled(const cluster::View& view) {
  const auto was_asked = [&view](NodeId node) {
    const cluster::NodeView& seen = view.nodes.at(node);
    return seen.answered_at.has_value() || seen.failure.has_value();
  };
  const std::vector<NodeId>& ids = view.nodes.ids();
  return view.leader || std::all_of(ids.begin(), ids.end(), was_asked);
}

// A session takes about that much beside what it has buffered, most of it for TLS.
std::size_t memory_in_use(const proxy::ProxyCounts& counts) {
  constexpr std::size_t kPerSession = 16 * 1024;
  return counts.held_bytes + counts.sessions_now * kPerSession;
}

void add_names(const NameAnswers& answers, metrics::ControlValues& values) {
  const std::vector<NameAnswers::Report> names = answers.reports();
  const auto unanswered =
      std::count_if(names.begin(), names.end(), [](const auto& each) { return !each.problem.empty(); });
  values.names_answered = static_cast<double>(answers.answers());
  values.names_failed = static_cast<double>(answers.failures());
  values.names_unanswered = static_cast<double>(unanswered);
}

Result<config::Loaded> nothing_to_read(const std::optional<config::File>&) {
  return fail(ErrorKind::kInvalid, "there is no configuration to read again");
}

}  // namespace

struct Service::Impl {
  Impl(net::Loop& loop, const config::Config& c, ConfigSource s)
      : control(loop),
        config(c),
        started(control.precise_now()),
        clock(started, wall_now()),
        resolver(loop),
        reloader(
            loop, resolver, s.read ? std::move(s.read) : ReadConfig(&nothing_to_read),
            [this](const config::Config& next, std::vector<ResolvedName> found, Reload::Purpose purpose,
                   const Reload::OnDone& on_done) { apply(next, std::move(found), purpose, on_done); },
            [this] { supervisor.reloading(); }, [this](const admin::ReloadReport& report) { on_reloaded(report); }),
        alive(std::make_shared<Impl*>(this)),
        shut_down(loop),
        log_level(loop, config.log_level),
        is_repeatable(s.is_repeatable),
        upgrade(loop),
        tls(loop),
        nodes(loop, resolver, config),
        config_file(std::move(s.file)),
        watch_retry(loop, [this] { reload_watched(); }) {}

  ~Impl() { control.set_on_stopped({}, nullptr); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  // From any thread: `work` runs on the control thread, if we still live then.
  template <typename Work>
  void post(Work work) {
    control.post([weak = std::weak_ptr(alive), work = std::move(work)] {
      if (const auto self = weak.lock()) work(**self);
    });
  }

  Result<void> start() {
    const auto limit = net::raise_descriptor_limit();
    if (!limit) return tl::unexpected(limit.error());
    descriptor_limit = *limit;
    if (auto enough = check_descriptors(config, *limit); !enough) return enough;
    return nodes.resolve()
        .and_then([this] { return tls.load(config, nodes.any_is_tls()); })
        .and_then([this] { return make_prober(); })
        .and_then([this] { return make_proxy(); })
        .and_then([this] { return make_admin(); })
        .map([this] { begin(); });
  }

  void warn_of_no_verification() const {
    if (config.verify || !nodes.any_is_tls()) return;
    log::warn("tls_verify_off", {{"why", std::string("verify is off: certificates of nodes are not checked")}});
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

  Result<void> make_prober() {
    auto options = prober_options(config, nodes.plans(), tls.contexts().to_nodes);
    if (!options) return tl::unexpected(options.error());
    prober = std::make_unique<probe::Prober>(
        control, std::move(*options), [this](const cluster::ViewPtr& view) { on_view(view); },
        [this](const std::vector<cluster::Event>& events) { on_events(events); });
    return {};
  }

  void make_leaderless_report() {
    LeaderlessSources sources;
    sources.snapshot = [this] { return prober->snapshot(); };
    sources.ask_leader = [this](NodeId node) { prober->ask_leader(node); };
    sources.wall_at = [this](TimePoint moment) { return wall_at(moment); };
    leaderless_report = std::make_unique<LeaderlessReport>(control, std::move(sources));
  }

  void make_timeline() {
    TimelineSources sources;
    sources.snapshot = [this] { return prober->snapshot(); };
    sources.traffic = [this] { return failover_traffic(proxy->counts(), has_http_listener(config)); };
    sources.ask_leader = [this](NodeId node) { prober->ask_leader(node); };
    timeline = std::make_unique<Timeline>(control, std::move(sources));
  }

  Result<void> make_proxy() {
    auto options = proxy_options(config, nodes.plans(), tls.contexts());
    if (!options) return tl::unexpected(options.error());
    proxy::ProxyCallbacks callbacks;
    callbacks.on_hint = [this](const cluster::Hint& hint) { post([hint](Impl& self) { self.prober->on_hint(hint); }); };
    callbacks.on_traffic = [this] {
      post([](Impl& self) {
        self.prober->on_traffic();
        self.timeline->on_traffic();
        self.memory->on_traffic();
      });
    };
    callbacks.on_first_success = [this](Epoch epoch) {
      post([epoch](Impl& self) { self.timeline->on_first_success(epoch); });
    };
    callbacks.on_claim_wanted = [this](TimePoint since) { prober->on_claim_wanted(since); };
    callbacks.on_session_end = [](const proxy::SessionRecord& session) { log_session(session, log::writes_debug()); };
    request_log.emplace(config.log_requests, [this](admin::AmbiguousRequest one) {
      post([one = std::move(one)](Impl& self) { self.keep_ambiguous(one); });
    });
    callbacks.on_request_end = [this](const proxy::RequestRecord& request) { request_log->on_request_end(request); };
    callbacks.on_stream_ended = [](NodeId, const std::string& node) {
      log::warn("stream_ended", {{"node", node},
                                 {"why", std::string("the node blocks: an open monitor or event stream would hold up "
                                                     "its step-down for up to 90 s")}});
    };
    callbacks.on_room_made = [this](std::size_t ended) { post([ended](Impl& self) { self.on_room_made(ended); }); };
    callbacks.on_redirect_loop = [this](const std::string& listener, const std::string& target) {
      post([listener, target](Impl& self) { self.on_redirect_loop(listener, target); });
    };
    options->waits_to_accept = net::InheritedSockets::process().has_predecessor();
    auto made = proxy::Proxy::start(control, std::move(*options), std::move(callbacks));
    if (!made) return tl::unexpected(made.error());
    proxy = std::move(*made);
    prober->set_on_claim([this](const cluster::Claim& claim) { proxy->confirm(claim); });
    prober->set_on_armed([this](TimePoint wake_at) { proxy->expect_control_by(wake_at); });
    look_for_stops();
    prober->set_look_at_traffic([this](NodeId leader) {
      const proxy::LiveTraffic seen = proxy->live(leader);
      const bool any_completed = control.precise_now() - seen.last_answer < proxy::kWaitingLong;
      return probe::LiveTraffic{seen.answered_request, seen.waiting, any_completed};
    });
    make_timeline();
    memory = std::make_unique<MemoryKeeper>(control, [this] { return memory_in_use(proxy->counts()); });
    make_leaderless_report();
    return {};
  }

  void look_for_stops() {
    control.set_on_stopped(config.suspect_after, [this](Duration lasted) {
      proxy->require_claim_since(control.now());
      prober->on_stopped(lasted);
    });
  }

  Result<void> make_admin() {
    admin::AdminOptions options;
    options.version = BELLWETHER_VERSION;
    options.started = started;
    auto access = admin_access(config);
    if (!access) return tl::unexpected(access.error());
    options.access = *access;
    options.waits_to_accept = net::InheritedSockets::process().has_predecessor();
    admin = std::make_unique<admin::Admin>(control, std::move(options), admin_sources());
    if (config.admin != "off") {
      auto address = net::Address::parse(config.admin);
      if (!address) return tl::unexpected(address.error().within("admin"));
      auto listening = admin->listen(*address);
      if (!listening) return tl::unexpected(listening.error());
      admin_address = listening->to_string();
      warn_if_exposed(*listening, *access);
    }
    return listen_control();
  }

  Result<void> listen_control() {
    const bool chosen = is_automatic(config.control);
    const auto path = control_path_to_listen(config.control, admin_address);
    if (!path) {
      if (chosen) log::warn("control_off", {{"why", std::string(kNoControlPlace)}});
      return {};
    }
    const auto address = net::Address::parse("unix:" + *path);
    if (!address) return tl::unexpected(address.error().within("control"));
    const auto listening = admin->listen_control(*address);
    if (listening) {
      control_path = *path;
      return {};
    }
    if (!chosen) return tl::unexpected(listening.error());
    // Perhaps a second one of the same user: clients matter more than the control socket.
    log::warn("control_off", {{"why", listening.error().message}});
    return {};
  }

  [[nodiscard]] std::vector<admin::NameState> names_for_people() {
    std::vector<admin::NameState> names;
    if (!name_refresh) return names;
    for (const NameAnswers::Report& each : name_refresh->answers().reports()) {
      names.push_back({each.host, each.answered ? std::optional(wall_at(*each.answered)) : std::nullopt, each.problem});
    }
    return names;
  }

  admin::AdminSources admin_sources() {
    admin::AdminSources sources;
    sources.view = [this] { return prober->snapshot(); };
    sources.metrics = [this](const cluster::ViewPtr& view) -> std::function<std::string()> {
      return [input = std::make_shared<const ScrapeInput>(scrape_input(view))] { return collect_metrics(*input); };
    };
    sources.draining = [this] { return shut_down.has_begun(); };
    sources.set_admin_state = [this](NodeId node, cluster::AdminState state, bool force,
                                     admin::AdminSources::OnDone on_done) {
      prober->set_admin_state(node, state, force, std::move(on_done));
    };
    sources.repin = [this]() -> Result<void> {
      prober->repin();
      return {};
    };
    sources.pause = [this](Duration at_most) { prober->pause(at_most); };
    sources.resume = [this] { prober->resume(); };
    sources.reload = [this](Reload::OnDone on_done) { reload(std::move(on_done)); };
    sources.try_reload = [this](std::optional<admin::ConfigText> text, Reload::OnDone on_done) {
      try_reload(std::move(text), std::move(on_done));
    };
    if (is_repeatable) {
      sources.upgrade = [this](const std::string& program, const Upgrade::OnDone& on_done) {
        begin_upgrade(program, on_done);
      };
    }
    sources.config = [this] { return config_state; };
    sources.names = [this] { return names_for_people(); };
    sources.listeners = [this] { return listener_texts(config.listen, proxy->addresses(), tls.contexts()); };
    sources.order_log_level = [this](std::string_view level, std::optional<Duration> lasts) {
      return log_level.order(level, lasts);
    };
    sources.log_level = [this] { return log_level.state(); };
    sources.counters = [this] { return page_counters(proxy->counts(), tally); };
    sources.failovers = [this] { return timeline->failovers(); };
    sources.on_room_made = [this](std::uint64_t ended) {
      admin_room_log.on_room_made("admin", "its limit", ended, control.now());
    };
    sources.wall_clock = [this] {
      clock.follow(control.precise_now(), wall_now());
      return clock;
    };
    sources.ambiguous = [this] { return std::vector<admin::AmbiguousRequest>(ambiguous.rbegin(), ambiguous.rend()); };
    return sources;
  }

  void begin() {
    config_state.read = wall_at(started);
    say_new_listeners({}, config.listen, proxy->addresses());
    if (!admin_address.empty()) {
      log::info("listening", {{"address", admin_address}, {"mode", std::string("admin")}});
    }
    if (!control_path.empty()) {
      log::info("listening", {{"address", "unix:" + control_path}, {"mode", std::string("control")}});
    }
    log::info("started", {{"version", std::string(BELLWETHER_VERSION)}, {"nodes", nodes.names()}});
    warn_of_no_verification();
    warn_of_invalid_certificates(tls.contexts());
    prober->start();
    nodes.begin(*prober, *proxy);
    refresh_names();
    watch_certificates();
    if (config.watch) watch_file();
    for (const net::Address& each : net::InheritedSockets::process().release()) {
      log::warn("inherited_socket_unused",
                {{"address", each.to_string()}, {"why", std::string("nothing is configured to listen there")}});
    }
    has_begun = true;
    supervisor.ready(*prober->view());
    supervisor.feed_watchdog(control, [this](const std::function<void()>& on_turned) {
      proxy->when_all_have_it([this, on_turned] { admin->when_it_turned(on_turned); });
    });
    take_over(*prober->view());
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
    sources.config = [this]() -> const config::Config& { return config; };
    sources.plans = [this]() -> const std::vector<NodePlan>& { return nodes.plans(); };
    sources.states = node_states();
    sources.move = [this](NodeId node, const net::Address& address) { nodes.on_answer(node, {address}); };
    sources.use = [this](std::vector<ResolvedName> found) {
      return why_no_change().empty() &&
             reloader.use_names(config, std::move(found),
                                [this](const admin::ReloadReport& report) { on_names_used(report); });
    };
    name_refresh.emplace(control, resolver, std::random_device{}(), std::move(sources));
    name_refresh->on_view(*prober->view());
  }

  // What is refused is refused again with each answer until the name leads elsewhere; it is told once.
  void on_names_used(const admin::ReloadReport& report) {
    const bool is_known = report.problems == names_problems;
    names_problems = report.problems;
    if (is_known && !report.problems.empty()) return;
    for (const std::string& each : report.problems) log::error("names_refused", {{"why", each}});
    if (report.changes.empty()) return;
    log::info("nodes_changed", {{"changes", fmt::format("{}", fmt::join(report.changes, "; "))}});
  }

  void watch_file() {
    if (!config_file.empty()) {
      config_watch.emplace(control, config_file, kConfigLook, [this] { reload_watched(); });
    } else {
      log::warn("watch_off", {{"why", std::string("there is no configuration file that could be watched")}});
    }
  }

  void end_watch() {
    config_watch.reset();
    watch_retry.cancel();
  }

  void on_view(const cluster::ViewPtr& view) {
    leaderless_report->on_view(*view);
    tally.on_view(*view);
    proxy->publish(view);
    supervisor.on_view(*view);
    if (name_refresh) name_refresh->on_view(*view);
    if (has_begun) take_over(*view);
  }

  void on_events(const std::vector<cluster::Event>& events) {
    for (const auto& event : events) {
      tally.record(event);
      log_event(event);
    }
    timeline->on_events(events);
    admin->record(events);
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
    log::error("redirect_loop",
               {{"listener", listener},
                {"target", target},
                {"why", std::string("the leader's address leads back to us; give the node its own public_address")}});
  }

  [[nodiscard]] ScrapeInput scrape_input(const cluster::ViewPtr& view) {
    NodeTable<probe::ProbeCounts> probes;
    for (const NodeId node : view->nodes.ids()) probes.add(node, prober->counts(node));
    return {.view = view,
            .probes = std::move(probes),
            .proxy = proxy->counts(),
            .values = control_values(*view),
            .failovers = timeline->counts(),
            .version = BELLWETHER_VERSION,
            .client_cert = tls.nodes().counts(),
            .server_cert = tls.client_counts()};
  }

  [[nodiscard]] metrics::ControlValues control_values(const cluster::View& view) {
    metrics::ControlValues values = tally.values(control.precise_now());
    const WallTime leader_since = wall_at(view.leader_since);
    values.leader_since = view.leader ? unix_seconds(leader_since) : 0;
    values.maxconn = config.maxconn;
    values.tls_verify = config.verify;
    values.log_dropped_lines = static_cast<double>(log::dropped_lines());
    values.admin_made_room = static_cast<double>(admin->made_room());
    values.loop_lateness = to_seconds(control.take_worst_lateness());
    values.config_read = unix_seconds(config_state.read);
    values.config_is_current = config_state.last_reload.problems.empty();
    if (name_refresh) add_names(name_refresh->answers(), values);
    return values;
  }

  [[nodiscard]] WallTime wall_at(TimePoint moment) {
    clock.follow(control.precise_now(), wall_now());
    return clock.at(moment);
  }

  void reload(Reload::OnDone on_done) {
    tls.reload();
    reloader.request(std::move(on_done));
  }

  void try_reload(std::optional<admin::ConfigText> text, Reload::OnDone on_done) {
    if (!text) return reloader.try_out(std::nullopt, std::move(on_done));
    const bool reads_a_file = !config_file.empty();
    reloader.try_out(config::File{std::move(text->name), std::move(text->text)},
                     [reads_a_file, on_done = std::move(on_done)](admin::ReloadReport report) {
                       if (!reads_a_file) report.hints.emplace_back(kNoFileToReload);
                       on_done(report);
                     });
  }

  // A file that cannot be used is tried again, for the cause may be elsewhere (a name, a file system); what comes of
  // that is told when it is something else.
  void reload_watched() {
    reloader.request([this](const admin::ReloadReport& report) {
      if (!report.problems.empty()) watch_retry.arm_in(kConfigRetry);
    });
  }

  void on_reloaded(const admin::ReloadReport& report) {
    supervisor.reloaded();
    const bool is_known = !report.problems.empty() && report.problems == config_state.last_reload.problems;
    config_state.last_reload = report;
    if (config_watch && is_known) return;
    for (const std::string& each : report.problems) log::error("config_refused", {{"why", each}});
    if (!report.problems.empty()) return;
    config_state.read = wall_at(control.precise_now());
    for (const std::string& each : report.hints) log::warn("config_hint", {{"why", each}});
    const std::string changes = report.changes.empty() ? "none" : fmt::format("{}", fmt::join(report.changes, "; "));
    log::info("config_reloaded", {{"changes", changes}});
    if (report.needs_restart.empty()) return;
    log::warn("reload_unsupported",
              {{"options", fmt::format("{}", fmt::join(report.needs_restart, "; "))},
               {"why", std::string("only a restart changes these: what was in force before stays")}});
  }

  // What a configuration comes to, all of it checked before any of it is used.
  struct Next {
    config::Config config;
    std::vector<NodePlan> plans;
    admin::ReloadReport report;
    TlsSides::ChangePtr tls;
  };

  // Takes over what can be changed, or nothing; for a trial only says what that would be.
  void apply(const config::Config& wanted, std::vector<ResolvedName> found, Reload::Purpose purpose,
             const Reload::OnDone& on_done) {
    if (auto why = why_no_change(); !why.empty()) return on_done({.problems = {std::move(why)}});
    const auto next = std::make_shared<Next>();
    next->config = config;
    config::take_over_reloadable(wanted, next->config);
    if (purpose != Reload::Purpose::kNames) {
      const bool is_careful = next->config.dns_refresh > Duration::zero();
      found = is_careful ? keep_missing_addresses(next->config.nodes, nodes.plans(), std::move(found), node_states())
                         : usable_answers(std::move(found));
    }
    auto plans = check_descriptors(next->config, descriptor_limit).and_then([&] {
      return nodes.plan(next->config, std::move(found), next->report.hints);
    });
    if (!plans) return on_done({.problems = {plans.error().message}});
    next->plans = std::move(*plans);
    const config::Differences differences = config::differences(config, wanted);
    next->report.changes = node_changes(nodes.plans(), next->plans);
    next->report.changes.insert(next->report.changes.end(), differences.reloadable.begin(),
                                differences.reloadable.end());
    next->report.needs_restart = differences.others;
    const bool any_is_tls =
        std::any_of(next->plans.begin(), next->plans.end(), [](const auto& each) { return each.tls; });
    tls.prepare(next->config, any_is_tls, [this, next, purpose, on_done](const Result<TlsSides::ChangePtr>& prepared) {
      if (!prepared) return on_done({.problems = {prepared.error().message}});
      next->tls = *prepared;
      use(*next, purpose, on_done);
    });
  }

  void use(Next& next, Reload::Purpose purpose, const Reload::OnDone& on_done) {
    if (auto why = why_no_change(); !why.empty()) return on_done({.problems = {std::move(why)}});
    const TlsContexts contexts = tls.contexts_with(*next.tls);
    auto probing = prober_options(next.config, next.plans, contexts.to_nodes);
    if (!probing) return on_done({.problems = {probing.error().message}});
    auto settings = proxy_settings(next.config);
    if (!settings) return on_done({.problems = {settings.error().message}});
    if (purpose == Reload::Purpose::kTrial) return on_done(next.report);
    std::shared_ptr<proxy::ListenerChange> listeners;
    if (!next.report.changes.empty()) {
      auto bound = listeners_of(next.config, contexts.to_clients).and_then([&](const auto& wanted) {
        return proxy->bind_listeners(wanted, *settings);
      });
      if (!bound) return on_done({.problems = {bound.error().message}});
      listeners = std::move(*bound);
    }
    if (next.tls->nodes && contexts.to_nodes) {
      if (auto set = proxy->set_node_tls(contexts.to_nodes); !set) return on_done({.problems = {set.error().message}});
    }
    proxy->set_settings(std::move(*settings));  // before listeners that may need them
    if (listeners) proxy->use_listeners(*listeners);
    tls.use(*next.tls);
    const config::Config before = std::exchange(config, std::move(next.config));
    use_options_since(before);
    say_new_listeners(before.listen, config.listen, proxy->addresses());
    if (purpose == Reload::Purpose::kUse) {
      name_refresh->on_config();
      warn_of_invalid_certificates(tls.contexts());
    }
    if (next.report.changes.empty()) return on_done(next.report);
    nodes.use(std::move(next.plans), std::move(*probing),
              [this, used = contexts.to_nodes, report = next.report, was_verifying = before.verify, on_done] {
                // Certificates may have been read meanwhile, and the targets knew those of before.
                if (tls.contexts().to_nodes != used) prober->set_tls(tls.contexts().to_nodes);
                if (was_verifying) warn_of_no_verification();
                proxy->when_all_have_it([report, on_done] { on_done(report); });
              });
  }

  // What a reload has changed and others than the tracker use. hard_stop_after is read when it is needed.
  void use_options_since(const config::Config& before) {
    log::set_format(config.log_format);
    log_level.configure(config.log_level);
    tls.set_interval(config.tls_reload_interval);
    request_log->set_logs_all(config.log_requests);
    if (config.suspect_after != before.suspect_after) look_for_stops();
    if (config.admin_hosts != before.admin_hosts) admin->set_hosts(admin_hosts(config));
    if (config.watch != before.watch) config.watch ? watch_file() : end_watch();
  }

  // From the process that this one replaces, if there is one that has not been told to go: both accept for a moment.
  void take_over(const cluster::View& view) {
    net::InheritedSockets& inherited = net::InheritedSockets::process();
    if (!inherited.has_predecessor() || !is_settled(view)) return;
    proxy->begin_accepting();
    admin->begin_accepting();
    inherited.say_ready();
  }

  // Empty: now.
  [[nodiscard]] std::string why_no_change() const {
    if (is_replaced) return "another process has taken this one's place";
    return upgrade.is_under_way() ? "an upgrade is under way: try again when it has ended" : "";
  }

  void begin_upgrade(const std::string& program, const Upgrade::OnDone& on_done) {
    if (shut_down.has_begun() || is_replaced)
      return on_done(fail(ErrorKind::kUnavailable, "this process ends already"));
    log::info("upgrade_begun", {{"program", program.empty() ? std::string("as before") : program}});
    upgrade.begin(program, config.upgrade_timeout, [this, on_done](const Result<pid_t>& done) {
      if (done) return be_replaced(*done, on_done);
      log::error("upgrade_failed", {{"why", done.error().message}});
      on_done(done);
    });
  }

  // Both accept until this one has closed its own copies of the sockets; what it has accepted, it serves.
  // It is told to who asked once the next order goes to the other one, and before this process may end.
  void be_replaced(pid_t successor, const Upgrade::OnDone& on_done) {
    log::info("upgraded", {{"pid", static_cast<std::int64_t>(successor)}});
    supervisor.replaced_by(successor);
    is_replaced = true;
    end_watch();
    proxy->leave_listeners();
    admin->leave([this, successor, on_done] {
      on_done(successor);
      admin->leave([this] {
        if (!shut_down.has_begun()) terminate();
      });
    });
  }

  void terminate() {
    if (shut_down.has_begun()) return shut_down.end_now("told twice");
    upgrade.give_up("this process was told to end");
    supervisor.stopping();
    // The listeners stay open meanwhile: whoever sends clients here needs time to see that /readyz says no. A process
    // that was replaced accepts nobody any more.
    shut_down.begin(*proxy, {is_replaced ? 0s : config.shutdown_delay, config.hard_stop_after});
  }

  net::Loop& control;
  config::Config config;
  const TimePoint started;
  WallClock clock;
  net::Resolver resolver;
  SupervisorReport supervisor;
  Reload reloader;
  admin::ConfigState config_state;
  std::uint64_t descriptor_limit = 0;
  std::shared_ptr<Impl*> alive;
  ShutDown shut_down;
  LogLevelKeeper log_level;
  bool has_begun = false;
  bool is_replaced = false;  // another process is the service now
  const bool is_repeatable;
  Upgrade upgrade;

  TlsSides tls;
  Tally tally;
  std::unique_ptr<Timeline> timeline;
  std::unique_ptr<MemoryKeeper> memory;
  std::unique_ptr<LeaderlessReport> leaderless_report;
  std::optional<RequestLog> request_log;
  std::deque<admin::AmbiguousRequest> ambiguous;  // the newest last
  std::vector<std::string> looping_targets;
  RoomLog room_log;
  RoomLog admin_room_log;
  std::string admin_address;
  std::string control_path;

  // Destroyed from the last to the first: what calls others goes before them.
  std::unique_ptr<admin::Admin> admin;
  std::unique_ptr<proxy::Proxy> proxy;
  std::unique_ptr<probe::Prober> prober;
  NodeSet nodes;
  std::optional<NameRefresh> name_refresh;  // from begin() on
  std::vector<std::string> names_problems;  // of the latest answers
  const std::string config_file;            // empty: none that could be watched
  net::Timer watch_retry;
  std::optional<FileWatch> config_watch;
};

Service::Service(Private, std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Service::~Service() = default;

Result<std::unique_ptr<Service>> Service::start(net::Loop& control, const config::Config& config, ConfigSource source) {
  auto impl = std::make_unique<Impl>(control, config, std::move(source));
  if (auto started = impl->start(); !started) return tl::unexpected(started.error());
  return std::make_unique<Service>(Private{}, std::move(impl));
}

void Service::reload() {
  impl_->reload([](const admin::ReloadReport&) {});
}

void Service::terminate() { impl_->terminate(); }

const cluster::ViewPtr& Service::view() const { return impl_->prober->view(); }

std::vector<std::string> Service::listen_addresses() const {
  std::vector<std::string> texts;
  for (const net::Address& address : impl_->proxy->addresses()) texts.push_back(address.to_string());
  return texts;
}

std::string Service::admin_address() const { return impl_->admin_address; }

}  // namespace bellwether::app
