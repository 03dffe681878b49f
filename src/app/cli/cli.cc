#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <system_error>

#include "app/demo/demo.h"
#include "app/process/log_level.h"
#include "app/process/start_error.h"
#include "bellwether/base/text.h"
#include "bellwether/base/visible.h"
#include "bellwether/config/load.h"
#include "bellwether/config/options.h"
#include "commands.h"
#include "describe.h"
#include "help_text.h"
#include "read_text.h"

namespace bellwether::app {
namespace {

constexpr std::size_t kMaxConfigBytes = 1024 * 1024;

// What follows the list of commands.
std::string help_footer() {
  std::string text = "Examples:\n";
  for (const ExampleDoc& each : examples()) {
    text += fmt::format("  {}\n", each.command);
    if (!each.meaning.empty()) text += fmt::format("      {}\n", each.meaning);
  }
  std::vector<std::string> codes;
  for (const ExitCodeDoc& each : exit_codes()) codes.push_back(fmt::format("{} {}", each.code, each.word));
  return text + fmt::format("\nEnvironment: {}\n\nExit codes: {}.\nAll options: bellwether.json(5), conf/REFERENCE.md.",
                            environment_text(), fmt::join(codes, ", "));
}

Result<std::string> read_all(const std::string& name) { return read_text(name, kMaxConfigBytes, "a configuration"); }

std::map<std::string, std::string> environment() {
  std::map<std::string, std::string> variables;
  for (char** each = environ; each != nullptr && *each != nullptr; ++each) {
    const std::string_view entry = *each;
    const std::size_t equals = entry.find('=');
    if (equals != std::string_view::npos) variables.emplace(entry.substr(0, equals), entry.substr(equals + 1));
  }
  return variables;
}

// An option is also a variable: the help says which.
std::string described(const config::Option& option) {
  return fmt::format("{} ({})", option.doc, config::environment_name(option));
}

// What `run` and `check` share: -f, the nodes, and one flag for each row of the option table that has one.
class ConfigFlags {
 public:
  explicit ConfigFlags(CLI::App& command, bool reads_file = true) {
    if (reads_file) {
      command.add_option("-f,--config", file_, "Configuration file; - is standard input")->type_name("FILE");
    }
    command.add_option("NODE_URL", nodes_, "Servers of the cluster, such as https://vault1.example.com:8200");
    for (const config::Option& option : config::options()) {
      if (!option.flag.empty()) add(command, option);
    }
  }

  [[nodiscard]] Result<config::Sources> sources() const {
    config::Sources sources = sources_without_file();
    if (file_.empty()) return sources;
    Result<std::string> text = read_all(file_);
    if (!text) return tl::unexpected(text.error());
    sources.file = config::File{file_ == "-" ? "standard input" : file_, std::move(*text)};
    return sources;
  }

  [[nodiscard]] ConfigSource source() const { return {reader(), file_ == "-" ? std::string() : file_, file_ != "-"}; }

  [[nodiscard]] config::Sources sources_without_file() const {
    config::Sources sources;
    sources.environment = environment();
    for (const Given& each : given_) {
      if (each.flag->count() == 0) continue;
      const bool is_switch = std::holds_alternative<config::FlagField>(each.option->field);
      const std::string text = is_switch ? (each.option->flag.substr(0, 5) == "--no-" ? "false" : "true")
                                         : fmt::format("{}", fmt::join(each.values, ","));
      sources.flags.emplace_back(each.option->key, text);
    }
    if (!nodes_.empty()) sources.flags.emplace_back("nodes", fmt::format("{}", fmt::join(nodes_, ",")));
    return sources;
  }

 private:
  // Reads the file again; environment and flags are what they were. It needs nothing of this object.
  [[nodiscard]] ReadConfig reader() const {
    return [file = file_,
            given = sources_without_file()](const std::optional<config::File>& instead) -> Result<config::Loaded> {
      config::Sources all = given;
      if (instead) {
        all.file = *instead;
        return config::load(all);
      }
      if (file == "-") {
        return fail(ErrorKind::kInvalid, "the configuration came from standard input, which cannot be read again");
      }
      if (!file.empty()) {
        Result<std::string> text = read_all(file);
        if (!text) return tl::unexpected(text.error());
        all.file = config::File{file, std::move(*text)};
      }
      return config::load(all);
    };
  }

  struct Given {
    const config::Option* option;
    CLI::Option* flag;
    std::vector<std::string> values;
  };

  void add(CLI::App& command, const config::Option& option) {
    Given& given = given_.emplace_back(Given{&option, nullptr, {}});
    const std::string flag(option.flag);
    if (std::holds_alternative<config::FlagField>(option.field)) {
      const bool turns_off = flag.substr(0, 5) == "--no-";
      given.flag =
          command.add_flag(flag)->description(fmt::format("{}{}", turns_off ? "Turns off: " : "", described(option)));
    } else {
      // One value for each flag: what follows may be a NODE_URL.
      given.flag = command.add_option(flag, given.values, described(option))->allow_extra_args(false)->expected(1);
      const std::string fallback = config::default_text(option);
      given.flag->type_name(fallback == "\"\"" ? "TEXT" : fmt::format("[{}]", fallback));
      given.flag->multi_option_policy(std::holds_alternative<config::ListenField>(option.field)
                                          ? CLI::MultiOptionPolicy::TakeAll
                                          : CLI::MultiOptionPolicy::Throw);
    }
    given.flag->group(std::string(option.group));
  }

  std::string file_;
  std::vector<std::string> nodes_;
  std::deque<Given> given_;  // CLI11 keeps pointers to the values
};

int with_config(const ConfigFlags& flags,
                const std::function<int(const config::Config&, const std::string& name)>& go) {
  const Result<config::Sources> sources = flags.sources();
  if (!sources) {
    fmt::print(stderr, "bellwether: {}\n", for_people(sources.error().message));
    return kExitFailed;
  }
  const config::Loaded loaded = config::load(*sources);
  const config::LogFormat format = loaded.config.log_format;
  bool is_usage = true;
  for (const config::Problem& each : loaded.problems) {
    report_config_problem(format, each, false);
    is_usage = is_usage && each.file == "command line";
  }
  for (const config::Problem& each : loaded.hints) report_config_problem(format, each, true);
  if (!loaded.problems.empty()) return is_usage ? kExitUsage : kExitFailed;
  return go(loaded.config, sources->file ? sources->file->name : "command line");
}

std::string duration_problem(const std::string& text) {
  const Result<Duration> value = parse_duration(text);
  return value ? std::string() : value.error().message;
}

// The nearest flag of `command`, or, for a word that is no flag, the nearest command.
std::optional<std::string> suggestion(const CLI::App& top, const CLI::App& command, const std::string& word) {
  std::vector<std::string> names;
  if (word.substr(0, 1) == "-") {
    for (const CLI::Option* each : command.get_options()) {
      for (const std::string& name : each->get_lnames()) names.push_back("--" + name);
    }
  } else {
    for (const CLI::App* each : top.get_subcommands({})) names.push_back(each->get_name());
  }
  const std::string bare = word.substr(0, word.find('='));
  const auto found = nearest(bare, {names.begin(), names.end()});
  return found ? std::optional<std::string>(*found) : std::nullopt;
}

// One command line: owns what the flags are read into, and calls the command.
class CommandLine {
 public:
  CommandLine() {
    app_.set_help_flag("-h,--help", "Explain this and exit");
    app_.add_flag("--version", wants_version_, "Print the version and exit");
    app_.get_formatter()->column_width(34);
    add_run_and_check();
    add_init();
    add_import();
    add_dev();
    add_sim();
    add_status_and_node();
    CLI::App* version = add("version", "Print the version", [this] { return version_command(is_verbose_); });
    version->add_flag("-v,--verbose", is_verbose_, "Libraries and limits too");
    add_docs();
    app_.footer(help_footer());  // last: commands would inherit it
  }

  int run(int argc, char** argv) {
    try {
      app_.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      return explain(error);
    }
    if (wants_version_) return version_command(false);
    for (const auto& [command, action] : actions_) {
      if (command->parsed()) return action();
    }
    fmt::print(stderr, "{}", wrap_help(app_.help()));
    return kExitUsage;
  }

 private:
  CLI::App* add(const std::string& name, const std::string& description, std::function<int()> action) {
    CLI::App* command = app_.add_subcommand(name, description);
    command->set_help_flag("-h,--help", "Explain this and exit");
    actions_.emplace_back(command, std::move(action));
    return command;
  }

  void add_run_and_check() {
    CLI::App* run = add("run", "Follow the leader: the proxy", [this] {
      return with_config(*run_flags_, [this](const config::Config& config, const std::string&) {
        return run_command(config, run_flags_->source());
      });
    });
    run_flags_.emplace(*run);
    CLI::App* check = add("check", "Say everything that is wrong with a configuration", [this] { return go_check(); });
    check->add_flag("--running", check_.running,
                    "Ask the running process what a reload with FILE, else with its own file, would change; --control "
                    "and --admin choose the process");
    check->add_flag("--live", check_.live, "Connect to every node and explain what is found");
    check->add_flag("--json", check_.json, "As JSON");
    check_flags_.emplace(*check);
  }

  int go_check() {
    Result<config::Sources> sources = check_flags_->sources();
    if (!sources) {
      fmt::print(stderr, "bellwether: {}\n", sources.error().message);
      return kExitFailed;
    }
    check_.name = sources->file ? sources->file->name : "command line";
    return check_.running ? go_check_running(*sources) : check_command(config::load(*sources), check_);
  }

  // The flags --control and --admin and their variables are no part of a configuration here: as for other commands they
  // choose the process.
  int go_check_running(config::Sources& sources) {
    ControlChoice control;
    const auto take = [&](const char* key, const char* variable, std::string& into) {
      if (const std::string text = sources.environment[variable]; !text.empty()) into = text;
      sources.environment.erase(variable);
      const auto is_it = [key](const auto& flag) { return flag.first == key; };
      const auto found = std::find_if(sources.flags.begin(), sources.flags.end(), is_it);
      if (found == sources.flags.end()) return;
      into = found->second;
      sources.flags.erase(found);
    };
    take("control", "BELLWETHER_CONTROL", control.control);
    take("admin", "BELLWETHER_ADMIN", control.admin);
    if (!sources.flags.empty()) {
      fmt::print(stderr,
                 "bellwether check: --running compares by the flags and the environment of the running process: "
                 "leave {} out\n",
                 for_people(sources.flags.front().first));
      return kExitUsage;
    }
    if (!sources.file) check_.name = "the running process's own configuration";
    return check_running_command(sources, control, check_);
  }

  void add_init() {
    CLI::App* init = add("init", "Ask a cluster and make a configuration file of it", [this] { return go_init(); });
    init->add_option("-o,--output", init_.out, "Where to write it; default: standard output")->type_name("FILE");
    init->add_flag("--force", init_.force, "Write over a file that is there");
    init->footer(
        "One node is enough: whom it names as the leader, whose name is in its certificate, and whose name is like "
        "its\n"
        "own is asked too, and is taken if it belongs to the same cluster. Options are written to the file.\n"
        "Examples:\n"
        "  bellwether init https://vault-1.example.com:8200 -o /etc/bellwether/bellwether.json\n"
        "  bellwether init https://vault-1.example.com:8200 --ca-file ca.pem --mode http >bellwether.json\n"
        "What was found is told on standard error and in the comments of the file.");
    init_flags_.emplace(*init, false);
  }

  int go_init() { return init_command(init_flags_->sources_without_file(), init_); }

  void add_import() {
    CLI::App* import = add("import-haproxy", "Make a configuration file of an haproxy.cfg",
                           [this] { return import_haproxy_command(import_); });
    import->add_option("FILE", import_.file, "The haproxy.cfg; - is standard input")->required()->type_name("FILE");
    import
        ->add_option("--backend,--listen", import_.names,
                     "The section whose servers are the cluster, where the file has several; may be repeated")
        ->allow_extra_args(false)
        ->type_name("NAME");
    import->add_option("-o,--output", import_.out, "Where to write it; default: standard output")->type_name("FILE");
    import->add_flag("--force", import_.force, "Write over a file that is there");
    import->add_flag("--strict", import_.strict,
                     "End with 3 if anything that the file says has no counterpart; it is written all the same");
    import->footer(
        "Examples:\n"
        "  bellwether import-haproxy /etc/haproxy/haproxy.cfg -o /etc/bellwether/bellwether.json\n"
        "  bellwether import-haproxy haproxy.cfg --backend vault-eu -o /etc/bellwether/eu.json\n"
        "  ssh lb1 cat /etc/haproxy/haproxy.cfg | bellwether import-haproxy - --strict >bellwether.json\n"
        "What was lost, chosen or changed is told on standard error and at the top of the file.");
  }

  void add_dev() {
    CLI::App* dev = add("dev", "A simulated cluster, the proxy and the status page, on loopback",
                        [this] { return dev_command(dev_); });
    dev->add_option("--nodes", dev_.nodes, "How many nodes")->check(CLI::Range(1, 9))->capture_default_str();
    dev->add_option("--listen", dev_.listen, "Where clients connect")->capture_default_str();
    dev->add_option("--mode", dev_.mode, "How the proxy treats them: http or tcp")
        ->check(CLI::IsMember({"http", "tcp"}))
        ->capture_default_str();
    dev->add_option("--admin", dev_.admin, "Where the status page is")->capture_default_str();
    add_duration(*dev, "--failover-every", "Time between two failovers; 0: none by itself", dev_.failover_every);
    dev->add_option("--failovers", dev_.failovers, "End after that many; 0: run until interrupted")
        ->check(CLI::Range(0, 1'000'000))
        ->capture_default_str();
  }

  void add_sim() {
    CLI::App* sim = add("sim", "A simulated cluster alone, for tests", [this] { return sim_command(sim_); });
    sim->add_option("--nodes", sim_.nodes, "How many nodes")->check(CLI::Range(1, 64))->capture_default_str();
    sim->add_option("--address", sim_.addresses, "Address of a node, once for each; default: loopback, any port")
        ->allow_extra_args(false);
    sim->add_option("--control", sim_.control, "Address of the fault API");
    sim->add_option("--tls-cert", sim_.tls_cert, "PEM file with the nodes' certificate; default: plain HTTP")
        ->type_name("FILE");
    sim->add_option("--tls-key", sim_.tls_key, "PEM file with its key")->type_name("FILE");
    add_duration(*sim, "--election", "How long an election takes", sim_.election);
    add_duration(*sim, "--crash-election", "How long one takes after a crash or hang", sim_.crash_election);
    add_duration(*sim, "--demotion-block", "How long a leader that goes blocks before it says so", sim_.demotion_block);
    add_duration(*sim, "--replication-lag", "What a standby's own reads are behind", sim_.replication_lag);
    add_duration(*sim, "--lease", "How long a leader without quorum goes on saying 200", sim_.lease);
    sim->add_flag("--node-id-header", sim_.node_id_header, "Say in X-Vault-Raft-Node-ID who answers");
    sim->add_flag("--consistency-headers", sim_.consistency_headers, "X-Vault-Index and its kin, as OpenBao 2.7");
    sim->add_flag("--missing-header-forward", sim_.missing_header_forward,
                  "Standbys forward what carries no consistency header, health included");
    sim->add_flag("--vault-bodies", sim_.vault_bodies, "Answer as Vault instead of OpenBao");
  }

  void add_status_and_node() {
    CLI::App* status = add("status", "Nodes, roles and the leader, as a running Bellwether sees them",
                           [this] { return status_command(status_); });
    add_admin(*status, status_.admin);
    add_cluster(*status, status_.cluster);
    status->add_flag("--watch", status_.watch, "Again each second");
    status->add_flag("--json", status_.json, "As JSON");
    CLI::App* failovers = add("failovers", "The last failovers, how long each took and why it was",
                              [this] { return failovers_command(report_); });
    add_admin(*failovers, report_.admin);
    add_cluster(*failovers, report_.cluster);
    failovers->add_flag("--json", report_.json, "As JSON");
    CLI::App* ambiguous = add("ambiguous", "Requests of which nobody knows whether they were executed",
                              [this] { return ambiguous_command(report_); });
    add_admin(*ambiguous, report_.admin);
    add_cluster(*ambiguous, report_.cluster);
    ambiguous->add_flag("--json", report_.json, "As JSON");
    CLI::App* node = add("node", "Give a node a state: ready, drain or maint", [this] { return node_command(node_); });
    node->add_option("NAME", node_.node, "The node's name")->required();
    node->add_option("STATE", node_.state, "ready, drain or maint")
        ->required()
        ->check(CLI::IsMember({"ready", "drain", "maint"}));
    node->add_flag("--json", node_.json, "As JSON");
    node->add_flag("--force", node_.force, "Even if nobody is left to lead: an outage");
    add_control(*node);
    add_cluster(*node, node_.cluster);
    CLI::App* pause = add("pause", "Let new requests wait, leader or not, until resume", [this] {
      return pause_command({node_.control, node_.cluster, pause_for_});
    });
    add_duration(*pause, "--for", "How long at most", pause_for_);
    add_control(*pause);
    add_cluster(*pause, node_.cluster);
    CLI::App* resume = add("resume", "Send requests to the leader again, after pause",
                           [this] { return resume_command(node_.control, node_.cluster); });
    add_control(*resume);
    add_cluster(*resume, node_.cluster);
    CLI::App* health = add("healthcheck", "Whether clients would be served: ends with 0 or 1, for probes of containers",
                           [this] { return healthcheck_command(healthcheck_); });
    add_admin(*health, healthcheck_.admin);
    add_cluster(*health, healthcheck_.cluster);
    health->add_flag("--live", healthcheck_.live, "Only whether the process answers, as for a liveness probe");
    add_duration(*health, "--timeout", "How long the answer may take", healthcheck_.timeout);
    CLI::App* wait = add("wait-leader", "Wait until there is a leader that is not in doubt, and print its name",
                         [this] { return wait_leader_command(wait_leader_); });
    add_admin(*wait, wait_leader_.admin);
    add_cluster(*wait, wait_leader_.cluster);
    wait->add_flag("--json", wait_leader_.json, "As JSON");
    wait->add_option("--other-than", wait_leader_.other_than, "The node that is about to lose the lead")
        ->type_name("NAME");
    wait->add_option_function<std::string>(
            "TIMEOUT",
            [this](const std::string& text) {
              wait_leader_.timeout = parse_duration(text).value_or(wait_leader_.timeout);
            },
            fmt::format("How long to wait at most [{}]", format_duration(wait_leader_.timeout)))
        ->check(CLI::Validator(duration_problem, "DURATION"));
    CLI::App* reload = add("reload", "Read the configuration file again and use what can change while it runs",
                           [this] { return reload_command(node_.control, node_.json); });
    reload->add_flag("--json", node_.json, "As JSON");
    add_control(*reload);
    CLI::App* repin = add("repin", "Learn the cluster_id anew, after a restore or a new initialisation",
                          [this] { return repin_command(node_.control, node_.cluster); });
    add_control(*repin);
    add_cluster(*repin, node_.cluster);
    add_rehearse();
    add_log_level();
    CLI::App* upgrade = add(
        "upgrade", "Start another program, or the one that has been installed, in place of the running one", [this] {
          return upgrade_command({node_.control, program_, node_.json});
        });
    upgrade->add_option("PATH", program_, "Its file; without it: the file that the running one was started from")
        ->type_name("FILE");
    upgrade->add_flag("--json", node_.json, "As JSON");
    add_control(*upgrade);
  }

  void add_rehearse() {
    CLI::App* command = add("rehearse", "A change of leader on purpose, and what clients notice of it",
                            [this] { return rehearse_command(rehearse_); });
    add_admin(*command, rehearse_.admin);
    add_cluster(*command, rehearse_.cluster);
    command->add_option("--via", rehearse_.via, "URL that clients use; default: the first http or tcp listener")
        ->type_name("URL");
    command
        ->add_option("--ca-file", rehearse_.ca_file, "PEM file with the CA of an https:// URL; default: the system's")
        ->type_name("FILE");
    command->add_option("--server-name", rehearse_.server_name, "Name in its certificate; default: the URL's host")
        ->type_name("NAME");
    command
        ->add_option("--token-file", rehearse_.token_file,
                     "A token that may order sys/step-down; without it the operator is asked to do so")
        ->type_name("FILE");
    add_duration(*command, "--within", "How long the change may take", rehearse_.within);
    command->add_option("-o,--output", rehearse_.out, "Store the record here, as JSON")->type_name("FILE");
    command->add_option("--picture", rehearse_.picture, "Store a picture of all requests here, as SVG")
        ->type_name("FILE");
    command->add_flag("--force", rehearse_.force, "Write over files that are there");
    command->add_flag("--json", rehearse_.json, "As JSON");
    command->footer(
        "Its own client asks 100 times a second for something that only the leader answers. Nothing begins unless "
        "there\n"
        "is a leader, a standby that could take over, and a proxy that serves. Ends with 0 if the leader changed and "
        "no\n"
        "request failed.\n"
        "Examples:\n"
        "  bellwether rehearse --token-file /root/step-down.token --picture drill.svg\n"
        "  bellwether rehearse --within 5m -o drill.json");
  }

  void add_log_level() {
    CLI::App* command = add("log-level", "Tell or change the level of the log while it runs", [this] {
      return log_level_command({node_.control, log_level_.level, log_level_.lasts, node_.json});
    });
    const std::vector<std::string_view> levels = log_levels();
    const auto is_level = CLI::IsMember(std::vector<std::string>(levels.begin(), levels.end()));
    CLI::Option* level =
        command->add_option("LEVEL", log_level_.level, "debug, info, warn or error; without it: tell what it is")
            ->check(is_level);
    command
        ->add_option_function<std::string>(
            "--for",
            [this](const std::string& text) {
              if (const auto lasts = parse_duration(text)) log_level_.lasts = *lasts;
            },
            "How long, at most 1d; without it: until the next order")
        ->check(CLI::Validator(duration_problem, "DURATION"))
        ->needs(level);
    command->add_flag("--json", node_.json, "As JSON");
    add_control(*command);
  }

  void add_docs() {
    CLI::App* docs = add("docs", "Print a man page, or the completion of a shell, as the package installs them",
                         [this] { return docs_command(describe(app_), topic_); });
    docs->add_option("TOPIC", topic_, "man: bellwether(1), man-file: bellwether.json(5), or the shell")
        ->required()
        ->check(CLI::IsMember(docs_topics()));
  }

  static void add_admin(CLI::App& command, std::string& admin) {
    command.add_option("--admin", admin, "Its admin address")->envname("BELLWETHER_ADMIN")->capture_default_str();
  }

  static void add_cluster(CLI::App& command, std::string& cluster) {
    command.add_option("--cluster", cluster, "With several clusters: the name of the one meant")
        ->envname("BELLWETHER_CLUSTER")
        ->type_name("NAME");
  }

  void add_control(CLI::App& command) {
    command.add_option("--control", node_.control.control, "Its control socket")
        ->envname("BELLWETHER_CONTROL")
        ->capture_default_str();
    command.add_option("--admin", node_.control.admin, "With several instances: the admin address of the one meant")
        ->envname("BELLWETHER_ADMIN");
  }

  void add_duration(CLI::App& command, const std::string& flag, const std::string& what, Duration& value) {
    command
        .add_option_function<std::string>(
            flag, [&value](const std::string& text) { value = parse_duration(text).value_or(value); },
            fmt::format("{} [{}]", what, format_duration(value)))
        ->check(CLI::Validator(duration_problem, "DURATION"));
  }

  int explain(const CLI::ParseError& error) {
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
      fmt::print("{}", wrap_help(app_.help()));  // of the command that was asked for
      return kExitFine;
    }
    const CLI::App* command = &app_;
    for (const auto& [each, action] : actions_) {
      if (each->parsed()) command = each;
    }
    const std::string name = command == &app_ ? "bellwether" : "bellwether " + command->get_name();
    const std::vector<std::string> unknown = app_.remaining(true);
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError) && !unknown.empty()) {
      const std::string& word = unknown.front();
      const bool is_command = command == &app_ && word.substr(0, 1) != "-";
      fmt::print(stderr, "{}: unknown {} \"{}\"", name, is_command ? "command" : "argument", for_people(word));
      if (const auto meant = suggestion(app_, *command, word)) fmt::print(stderr, "; did you mean \"{}\"?", *meant);
      fmt::print(stderr, "\n");
    } else {
      fmt::print(stderr, "{}: {}\n", name, for_people(error.what()));
    }
    fmt::print(stderr, "{} --help explains it.\n", name);
    return kExitUsage;
  }

  CLI::App app_{"Bellwether: clients follow the leader of a Vault or OpenBao cluster.", "bellwether"};
  std::vector<std::pair<CLI::App*, std::function<int()>>> actions_;
  bool wants_version_ = false;
  bool is_verbose_ = false;
  std::optional<ConfigFlags> run_flags_, check_flags_, init_flags_;
  CheckOptions check_;
  InitOptions init_;
  RehearseOptions rehearse_;
  ImportOptions import_;
  DevOptions dev_;
  SimOptions sim_;
  StatusOptions status_;
  ReportOptions report_;
  HealthcheckOptions healthcheck_;
  WaitLeaderOptions wait_leader_;
  NodeOptions node_;
  LogLevelOptions log_level_;
  std::string program_;
  std::string topic_;
  Duration pause_for_ = PauseOptions().at_most;
};

}  // namespace

// What a script reads must be whole: an output that could not be written is an error, whatever the command found.
int main_command(int argc, char** argv) {
  int code = kExitFailed;
  try {
    code = CommandLine().run(argc, argv);
  } catch (const std::system_error& error) {  // of fmt::print
    fmt::print(stderr, "bellwether: {}\n", error.what());
    return kExitFailed;
  }
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
  fmt::print(stderr, "bellwether: cannot write the output: {}\n", std::strerror(errno));
  return code == kExitFine ? kExitFailed : code;
}

}  // namespace bellwether::app
