#pragma once

#include "bellwether/base/time.h"

namespace bellwether::config {

// The options that the proxy uses as they are written, under the same name. Their rows (src/config/options.cc) say what
// each means.

// Those that a listener may have of its own: a part of Config and of each Listen, and of proxy::SessionSettings.
struct SessionOptions {
  Duration hold_timeout_tcp = 9s, hold_timeout_http = 30s;
  Duration timeout_idle = 1h;
  // A session on a demoted node that may have something under way ends once quiet for so long, at the latest at the
  // deadline.
  Duration drain_quiet = 1s, drain_deadline = 10s;
  Duration timeout_header = 10s;  // of a head, a client's TLS handshake, and a connection's first byte
  // Of http listeners.
  Duration timeout_answer = 2min;  // for an answer head, from the last byte of the request
  int ambiguous_status = 502;

  friend bool operator==(const SessionOptions&, const SessionOptions&) = default;
};

// The others: a part of Config, and of proxy::ProxySettings.
struct TrafficOptions {
  int maxconn = 2000;              // over all workers and listeners of a cluster
  int hold_max = 1024;             // over all workers of a cluster
  Duration suspect_after = 100ms;  // our own process stood still for that long: nothing is sent before a new claim
  Duration timeout_connect = 3s;
  bool log_sessions = false;
  bool log_requests = false;  // of http and redirect listeners
  bool log_paths = false;     // in these, never with their query
  // Of http listeners.
  Duration grace = 1s;        // a leader may take that long to speak when replaced, or to confirm itself
  bool bootstrap = false;     // sys/init and sys/unseal go to a node that cannot lead yet, if none leads
  bool forwarded_for = true;  // the client's address is put into X-Forwarded-For
};

}  // namespace bellwether::config
