#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bellwether/base/time.h"
#include "bellwether/config/load.h"
#include "reload.h"

namespace bellwether::app {

// Exit codes of every command.
inline constexpr int kExitFine = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;

// Each command is called once, from main's thread, after the command line has been read. It prints what a person
// needs and returns the exit code.

// `read`: for a reload. run.cc
int run_command(const config::Config& config, const ReadConfig& read);

struct CheckOptions {
  std::string name;  // of the file, or "command line"
  bool live = false;
  bool json = false;
};
int check_command(const config::Loaded& loaded, const CheckOptions& options);  // check.cc

struct DevOptions {
  int nodes = 3;
  std::string listen = "127.0.0.1:8200";
  std::string admin = "127.0.0.1:8209";
  std::string mode = "http";      // or "tcp"
  Duration failover_every = 15s;  // zero: only when asked for
  int failovers = 0;              // end after that many; 0: run until interrupted
};
int dev_command(const DevOptions& options);  // dev.cc

struct SimOptions {
  int nodes = 3;
  std::vector<std::string> addresses;  // empty: loopback, any port
  std::string control;                 // address of the fault API: POST /node/N/FAULT[?for=DURATION], GET /nodes
  std::string tls_cert, tls_key;       // both empty: plain http
  Duration election = 500ms;
  Duration crash_election = 2s;         // after a crash or hang, when nobody has handed over
  Duration demotion_block = 500ms;      // how long a leader that goes blocks everything before it says so
  Duration replication_lag = 30ms;      // what a standby's own reads are behind
  Duration lease = 500ms;               // how long a leader without quorum goes on saying 200
  bool node_id_header = false;          // X-Vault-Raft-Node-ID in each answer
  bool consistency_headers = false;     // X-Vault-Index, as OpenBao 2.7
  bool missing_header_forward = false;  // standbys forward what carries no consistency header
  bool vault_bodies = false;            // Vault's instead of OpenBao's
};
int sim_command(const SimOptions& options);  // sim.cc

struct StatusOptions {
  std::string admin = "127.0.0.1:8209";
  bool watch = false;
  bool json = false;
};
int status_command(const StatusOptions& options);  // status.cc

struct ReportOptions {
  std::string admin = "127.0.0.1:8209";
  bool json = false;
};
int failovers_command(const ReportOptions& options);  // failovers.cc
int ambiguous_command(const ReportOptions& options);  // ambiguous.cc

// Which running instance a command that changes something means.
struct ControlChoice {
  std::string control = "auto";  // unix socket, or as in the configuration
  std::string admin;             // with "auto": the instance with this admin address; empty: the only one
};

struct NodeOptions {
  ControlChoice control;
  std::string node;
  std::string state;  // ready | drain | maint
  bool force = false;
  bool json = false;
};
int node_command(const NodeOptions& options);  // node.cc

struct PauseOptions {
  ControlChoice control;
  Duration at_most = 60s;
};
int pause_command(const PauseOptions& options);    // node.cc
int resume_command(const ControlChoice& control);  // node.cc

struct WaitLeaderOptions {
  std::string admin = "127.0.0.1:8209";
  std::string other_than;  // who is about to go
  Duration timeout = 30s;
  bool json = false;
};
int wait_leader_command(const WaitLeaderOptions& options);  // wait_leader.cc

[[nodiscard]] std::string_view version();  // "0.1.0"
// After a restore or a new initialisation: the cluster_id is learned anew.
int repin_command(const ControlChoice& control);  // node.cc

int reload_command(const ControlChoice& control, bool json);  // node.cc

int version_command(bool verbose);  // version.cc

// Reads the command line and calls one of the above (cli.cc).
int main_command(int argc, char** argv);

}  // namespace bellwether::app
