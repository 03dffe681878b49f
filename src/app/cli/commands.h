#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/docs/program.h"
#include "app/process/exit_code.h"
#include "app/service/reload.h"
#include "bellwether/base/time.h"
#include "bellwether/config/load.h"

namespace bellwether::app {

// Each command is called once, from main's thread, after the command line has been read. It prints what a person
// needs and returns the exit code.

// `source`: for a reload. run.cc
int run_command(const config::Config& config, const ConfigSource& source);

struct StatusOptions {
  std::string admin = "127.0.0.1:8209";
  std::string cluster;  // here and below: the name of the one that is meant; empty: all, or the only one
  bool watch = false;
  bool json = false;
};
int status_command(const StatusOptions& options);  // status.cc

struct ReportOptions {
  std::string admin = "127.0.0.1:8209";
  std::string cluster;
  bool json = false;
};
int failovers_command(const ReportOptions& options);  // failovers.cc
int ambiguous_command(const ReportOptions& options);  // ambiguous.cc

// Which running instance a command that changes something means.
struct ControlChoice {
  std::string control = "auto";  // unix socket, or as in the configuration
  std::string admin;             // with "auto": the instance with this admin address; empty: the only one
};

struct CheckOptions {
  std::string name;  // of the file, or "command line"
  bool live = false;
  bool json = false;
  bool running = false;
};
int check_command(const config::Loaded& loaded, const CheckOptions& options);  // check.cc
// What a reload of the running process would change: with `sources.file`, else with its own file. What else `sources`
// has serves to find out what the running process does not look at. check_running.cc
int check_running_command(const config::Sources& sources, const ControlChoice& control, const CheckOptions& options);

struct ImportOptions {
  std::string file;                // haproxy.cfg; "-" is standard input
  std::vector<std::string> names;  // of the backends or listen sections that are meant
  std::string out;                 // empty: standard output
  bool force = false;
  bool strict = false;
};
int import_haproxy_command(const ImportOptions& options);  // import_haproxy.cc

struct InitOptions {
  std::string out;  // empty: standard output
  bool force = false;
};
// Makes a configuration file of what the nodes of `sources` say. init.cc
int init_command(const config::Sources& sources, const InitOptions& options);

struct NodeOptions {
  ControlChoice control;
  std::string cluster;
  std::string node;
  std::string state;  // ready | drain | maint
  bool force = false;
  bool json = false;
};
int node_command(const NodeOptions& options);  // node.cc

struct PauseOptions {
  ControlChoice control;
  std::string cluster;
  Duration at_most = 60s;
};
int pause_command(const PauseOptions& options);                                // node.cc
int resume_command(const ControlChoice& control, const std::string& cluster);  // node.cc

struct LogLevelOptions {
  ControlChoice control;
  std::string level;  // empty: only tell what it is
  std::optional<Duration> lasts;
  bool json = false;
};
int log_level_command(const LogLevelOptions& options);  // log_level.cc

struct UpgradeOptions {
  ControlChoice control;
  std::string program;  // empty: the one that it was started from
  bool json = false;
};
int upgrade_command(const UpgradeOptions& options);  // upgrade.cc

struct HealthcheckOptions {
  std::string admin = "127.0.0.1:8209";
  std::string cluster;
  Duration timeout = 800ms;
  bool live = false;  // of the process, whatever `cluster` is
};
int healthcheck_command(const HealthcheckOptions& options);  // healthcheck.cc

struct WaitLeaderOptions {
  std::string admin = "127.0.0.1:8209";
  std::string cluster;
  std::string other_than;  // who is about to go
  Duration timeout = 30s;
  bool json = false;
};
int wait_leader_command(const WaitLeaderOptions& options);  // wait_leader.cc

struct RehearseOptions {
  std::string admin = "127.0.0.1:8209";
  std::string cluster;
  std::string via;          // URL that clients use; empty: the first http or tcp listener
  std::string ca_file;      // for an https via
  std::string server_name;  // likewise; empty: its host
  std::string token_file;   // allowed to order a step-down; empty: the operator does it
  Duration within = 2min;
  std::string out;      // JSON; empty: none
  std::string picture;  // SVG; empty: none
  bool force = false;
  bool json = false;
};
// A change of leader, as clients notice it. rehearse.cc
int rehearse_command(const RehearseOptions& options);

[[nodiscard]] std::string_view version();  // "0.1.0"
// After a restore or a new initialisation: the cluster_id is learned anew.
int repin_command(const ControlChoice& control, const std::string& cluster);  // node.cc

int reload_command(const ControlChoice& control, bool json);  // node.cc

int version_command(bool verbose);  // version.cc

// The man pages and the completions of shells, as the package has them. docs.cc
[[nodiscard]] std::vector<std::string> docs_topics();
int docs_command(const ProgramDoc& program, std::string_view topic);

// Reads the command line and calls one of the above (cli.cc).
int main_command(int argc, char** argv);

}  // namespace bellwether::app
