#pragma once

#include <string>
#include <vector>

#include "bellwether/base/time.h"

namespace bellwether::app {

// The commands that need no cluster of their own. As the other commands (cli/commands.h): each is called once, from
// main's thread, prints what a person needs and returns the exit code.

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

}  // namespace bellwether::app
