#include "service.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "admin_access.h"
#include "app/files/file_watch.h"
#include "app/process/log.h"
#include "app/report/collect.h"
#include "app/report/room_log.h"
#include "bellwether/admin/admin.h"
#include "bellwether/config/difference.h"
#include "bellwether/net/inherited.h"
#include "bellwether/net/process.h"
#include "bellwether/net/resolver.h"
#include "cluster_set.h"
#include "control_path.h"
#include "log_level_keeper.h"
#include "memory_keeper.h"
#include "plan.h"
#include "predecessor.h"
#include "shut_down.h"
#include "supervisor_report.h"
#include "upgrade.h"

namespace bellwether::app {

namespace {

constexpr Duration kConfigLook = 1s;
constexpr Duration kConfigRetry = 5s;

constexpr std::string_view kNoControlPlace =
    "there is no place for the control socket, so pause, resume, node, repin and reload cannot reach this process: "
    "make /run/bellwether writable for its user (RuntimeDirectory=bellwether in systemd; install -d -o USER "
    "/run/bellwether), set XDG_RUNTIME_DIR, or name a path with control (BELLWETHER_CONTROL); \"off\" ends this "
    "warning";

constexpr std::string_view kNoFileToReload =
    "the running process was started without a configuration file that can be read again: no reload uses this one";

WallTime wall_now() { return std::chrono::system_clock::now(); }

// A session takes about that much beside what it has buffered, most of it for TLS.
std::size_t memory_in_use(const proxy::ProxyCounts& counts) {
  constexpr std::size_t kPerSession = 16 * 1024;
  return counts.held_bytes + counts.sessions_now * kPerSession;
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
            loop, s.read ? std::move(s.read) : ReadConfig(&nothing_to_read),
            [this](const config::Config& wanted, Reload::Purpose purpose, const Reload::OnDone& on_done) {
              apply(wanted, purpose, on_done);
            },
            [this] { supervisor.reloading(); }, [this](const admin::ReloadReport& report) { on_reloaded(report); }),
        shut_down(loop),
        log_level(loop, config.log_level),
        is_repeatable(s.is_repeatable),
        upgrade(loop),
        predecessor(loop),
        memory(loop, [this] { return memory_in_all(); }),
        clusters(loop, resolver, [this](const std::string& name) { return surroundings_of(name); }),
        config_file(std::move(s.file)),
        watch_retry(loop, [this] { reload_watched(); }) {}

  ~Impl() { control.set_on_stopped({}, nullptr); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Result<void> start() {
    const auto limit = net::raise_descriptor_limit();
    if (!limit) return tl::unexpected(limit.error());
    descriptor_limit = *limit;
    if (auto enough = check_descriptors(config, *limit); !enough) return enough;
    return clusters.open(config).and_then([this] { return make_admin(); }).map([this] { begin(); });
  }

  ClusterSurroundings surroundings_of(const std::string& name) {
    ClusterSurroundings around;
    around.on_view = [this] { on_view(); };
    around.on_events = [this, name](const std::vector<cluster::Event>& events) { admin->record(name, events); };
    around.on_traffic = [this] { memory.on_traffic(); };
    around.wall_at = [this](TimePoint moment) { return wall_at(moment); };
    around.run_alone = [this](const ClusterSurroundings::Change& change) {
      return why_no_change().empty() && reloader.run_alone(change);
    };
    around.listeners_elsewhere = [this, name] { return listeners_but_of(name); };
    return around;
  }

  [[nodiscard]] std::vector<config::Listen> listeners_but_of(const std::string& cluster) const {
    std::vector<config::Listen> all;
    for (const auto& each : clusters.all()) {
      const std::vector<config::Listen>& own = each->listeners();
      if (each->name() != cluster) all.insert(all.end(), own.begin(), own.end());
    }
    return all;
  }

  [[nodiscard]] std::size_t memory_in_all() const {
    std::size_t sum = 0;
    for (const proxy::Proxy* each : clusters.proxies()) sum += memory_in_use(each->counts());
    return sum;
  }

  void look_for_stops() {
    Duration least = Duration::max();
    for (const auto& each : clusters.all()) least = std::min(least, each->config().suspect_after);
    control.set_on_stopped(least, [this](Duration lasted) {
      for (const auto& each : clusters.all()) each->on_stopped(lasted);
    });
  }

  Result<void> make_admin() {
    admin::AdminOptions options;
    options.version = BELLWETHER_VERSION;
    options.started = started;
    auto access = admin_access(config);
    if (!access) return tl::unexpected(access.error());
    options.access = *access;
    options.waits_to_accept = predecessor.is_there();
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

  admin::AdminSources admin_sources() {
    admin::AdminSources sources;
    sources.clusters = [this] { return sources_of_clusters(); };
    sources.metrics = [this]() -> std::function<std::string()> {
      return [input = std::make_shared<const ScrapeInput>(scrape_input())] { return collect_metrics(*input); };
    };
    sources.draining = [this] { return shut_down.has_begun(); };
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
    sources.order_log_level = [this](std::string_view level, std::optional<Duration> lasts) {
      return log_level.order(level, lasts);
    };
    sources.log_level = [this] { return log_level.state(); };
    sources.on_room_made = [this](std::uint64_t ended) {
      admin_room_log.on_room_made("admin", "its limit", ended, control.now());
    };
    sources.wall_clock = [this] {
      clock.follow(control.precise_now(), wall_now());
      return clock;
    };
    return sources;
  }

  [[nodiscard]] admin::Clusters sources_of_clusters() const {
    admin::Clusters all;
    for (const auto& each : clusters.all()) all.push_back(each->sources());
    return all;
  }

  void begin() {
    config_state.read = wall_at(started);
    for (const auto& each : clusters.all()) each->say_listeners();
    if (!admin_address.empty()) {
      log::info("listening", {{"address", admin_address}, {"mode", std::string("admin")}});
    }
    if (!control_path.empty()) {
      log::info("listening", {{"address", "unix:" + control_path}, {"mode", std::string("control")}});
    }
    log::info("started", {{"version", std::string(BELLWETHER_VERSION)}, {"nodes", node_names()}});
    look_for_stops();
    for (const auto& each : clusters.all()) each->begin(predecessor.knowledge_of(each->name()));
    if (config.watch) watch_file();
    for (const net::Address& each : net::InheritedSockets::process().release()) {
      log::warn("inherited_socket_unused",
                {{"address", each.to_string()}, {"why", std::string("nothing is configured to listen there")}});
    }
    has_begun = true;
    supervisor.ready(status_text());
    supervisor.feed_watchdog(control, [this](const std::function<void()>& on_turned) {
      clusters.when_all_workers_turned([this, on_turned] { admin->when_it_turned(on_turned); });
    });
    take_over();
  }

  [[nodiscard]] std::string node_names() const {
    return clusters.text_of_each([](const ClusterService& one) { return one.node_names(); });
  }

  [[nodiscard]] std::string status_text() const {
    return clusters.text_of_each([](const ClusterService& one) { return status_line(*one.view()); });
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

  void on_view() {
    if (!has_begun) return;
    supervisor.on_status(status_text());
    take_over();
  }

  [[nodiscard]] ScrapeInput scrape_input() {
    ScrapeInput input{.version = BELLWETHER_VERSION, .values = process_values(), .clusters = {}};
    for (const auto& each : clusters.all()) input.clusters.push_back(each->scrape());
    return input;
  }

  [[nodiscard]] metrics::ProcessValues process_values() {
    metrics::ProcessValues values;
    values.log_dropped_lines = static_cast<double>(log::dropped_lines());
    values.admin_made_room = static_cast<double>(admin->made_room());
    values.loop_lateness = to_seconds(control.take_worst_lateness());
    values.config_read = unix_seconds(config_state.read);
    values.config_is_current = config_state.last_reload.problems.empty();
    return values;
  }

  [[nodiscard]] WallTime wall_at(TimePoint moment) {
    clock.follow(control.precise_now(), wall_now());
    return clock.at(moment);
  }

  void reload(Reload::OnDone on_done) {
    for (const auto& each : clusters.all()) each->reload_certificates();
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

  // Takes over what can be changed, or nothing; for a trial only says what that would be.
  void apply(const config::Config& wanted, Reload::Purpose purpose, const Reload::OnDone& on_done) {
    if (auto why = why_no_change(); !why.empty()) return on_done({.problems = {std::move(why)}});
    if (auto enough = check_descriptors(wanted, descriptor_limit); !enough) {
      return on_done({.problems = {enough.error().message}});
    }
    clusters.prepare(wanted,
                     [this, wanted, purpose, on_done](const auto& problems, const ClusterSet::ChangePtr& change) {
                       if (!problems.empty()) return on_done({.problems = problems});
                       use(wanted, purpose, change, on_done);
                     });
  }

  void use(const config::Config& wanted, Reload::Purpose purpose, const ClusterSet::ChangePtr& change,
           const Reload::OnDone& on_done) {
    if (auto why = why_no_change(); !why.empty()) return on_done({.problems = {std::move(why)}});
    admin::ReloadReport report = ClusterSet::report_of(*change);
    add_process_changes(wanted, report);
    if (purpose == Reload::Purpose::kTrial) return on_done(report);
    if (auto bound = clusters.bind(*change); !bound) return on_done({.problems = {bound.error().message}});
    const config::Config before = config;
    config::take_over_reloadable(wanted, config, config::Part::kProcess);
    use_options_since(before);
    clusters.use(change, [report, on_done] { on_done(report); });
    look_for_stops();
  }

  // The only cluster of a file without `clusters` has told of these beside its own.
  void add_process_changes(const config::Config& wanted, admin::ReloadReport& report) const {
    if (wanted.clusters.empty() && clusters.has("")) return;
    const config::Differences found = config::differences(config, wanted, config::Part::kProcess);
    report.changes.insert(report.changes.end(), found.reloadable.begin(), found.reloadable.end());
    report.needs_restart.insert(report.needs_restart.end(), found.others.begin(), found.others.end());
  }

  // What a reload has changed and others than the clusters use. hard_stop_after is read when it is needed.
  void use_options_since(const config::Config& before) {
    log::set_format(config.log_format);
    log_level.configure(config.log_level);
    if (config.admin_hosts != before.admin_hosts) admin->set_hosts(admin_hosts(config));
    if (config.watch != before.watch) config.watch ? watch_file() : end_watch();
  }

  // From the process that this one replaces, if there is one that has not been told to go: both accept for a moment.
  void take_over() {
    const auto is_settled = [](const auto& each) { return each->is_settled(); };
    const auto& all = clusters.all();
    if (!predecessor.is_there() || !std::all_of(all.begin(), all.end(), is_settled)) return;
    for (const auto& each : clusters.all()) each->proxy().begin_accepting();
    admin->begin_accepting();
    predecessor.say_ready([this](const Handover& last) {
      for (const auto& each : clusters.all()) {
        if (const ClusterHandover* const theirs = last.find(each->name())) each->take_over(*theirs);
      }
    });
  }

  [[nodiscard]] std::string text_to_hand_over() const {
    Handover all{.process = ::getpid(), .written = control.precise_now(), .clusters = {}};
    for (const auto& each : clusters.all()) all.clusters.push_back(each->hand_over());
    return handover_text(all);
  }

  // Empty: now.
  [[nodiscard]] std::string why_no_change() const {
    if (is_replaced) return "another process has taken this one's place";
    if (shut_down.has_begun()) return "this process ends";
    return upgrade.is_under_way() ? "an upgrade is under way: try again when it has ended" : "";
  }

  void begin_upgrade(const std::string& program, const Upgrade::OnDone& on_done) {
    if (shut_down.has_begun() || is_replaced)
      return on_done(fail(ErrorKind::kUnavailable, "this process ends already"));
    log::info("upgrade_begun", {{"program", program.empty() ? std::string("as before") : program}});
    const auto on_end = [this, on_done](const Result<pid_t>& done) {
      if (done) return be_replaced(*done, on_done);
      log::error("upgrade_failed", {{"why", done.error().message}});
      on_done(done);
    };
    upgrade.begin(
        program, config.upgrade_timeout, [this] { return text_to_hand_over(); }, on_end);
  }

  // Both accept until this one has closed its own copies of the sockets; what it has accepted, it serves.
  // It is told to who asked once the next order goes to the other one, and before this process may end.
  void be_replaced(pid_t successor, const Upgrade::OnDone& on_done) {
    log::info("upgraded", {{"pid", static_cast<std::int64_t>(successor)}});
    supervisor.replaced_by(successor);
    is_replaced = true;
    end_watch();
    for (const auto& each : clusters.all()) {
      each->stop_recording();
      each->proxy().leave_listeners();
    }
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
    end_watch();
    clusters.keep_all();
    // The listeners stay open meanwhile: whoever sends clients here needs time to see that /readyz says no. A process
    // that was replaced accepts nobody any more.
    shut_down.begin(clusters.proxies(), {is_replaced ? 0s : config.shutdown_delay, config.hard_stop_after});
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
  ShutDown shut_down;
  LogLevelKeeper log_level;
  bool has_begun = false;
  bool is_replaced = false;  // another process is the service now
  const bool is_repeatable;
  Upgrade upgrade;
  Predecessor predecessor;
  MemoryKeeper memory;
  RoomLog admin_room_log;
  std::string admin_address;
  std::string control_path;

  std::unique_ptr<admin::Admin> admin;  // outlives the clusters, which tell it of events
  ClusterSet clusters;
  const std::string config_file;  // empty: none that could be watched
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

const cluster::ViewPtr& Service::view() const { return impl_->clusters.all().front()->view(); }

std::vector<std::string> Service::listen_addresses() const {
  std::vector<std::string> texts;
  for (const auto& each : impl_->clusters.all()) {
    for (const net::Address& address : each->proxy().addresses()) texts.push_back(address.to_string());
  }
  return texts;
}

std::string Service::admin_address() const { return impl_->admin_address; }

}  // namespace bellwether::app
