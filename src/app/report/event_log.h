#pragma once

#include "app/process/log.h"
#include "bellwether/cluster/failover.h"
#include "bellwether/cluster/tracker.h"
#include "bellwether/proxy/proxy.h"

namespace bellwether::app {

// One log line per transition.
void log_event(const log::ClusterLog& log, const cluster::Event& event);

// One line per ended session; the client's address only if `with_client`. Any thread.
void log_session(const log::ClusterLog& log, const proxy::SessionRecord& session, bool with_client);

// One line per ended request. Any thread.
void log_request(const log::ClusterLog& log, const proxy::RequestRecord& request, bool with_client);

// One line for a request that failed, where log_requests is off. Any thread.
void log_failed_request(const log::ClusterLog& log, const proxy::RequestRecord& request);

// One that has ended, in one line; moments are milliseconds from the first sign, -1 for what was not seen.
void log_failover(const log::ClusterLog& log, const cluster::Failover& failover);

}  // namespace bellwether::app
