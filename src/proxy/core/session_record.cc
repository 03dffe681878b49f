#include "session_record.h"

#include <utility>

#include "worker_core.h"

namespace bellwether::proxy {

bool are_sessions_logged(const WorkerCore& worker) {
  return worker.options().log_sessions && worker.shared().callbacks.on_session_end;
}

void log_session_end(const WorkerCore& worker, EndedSession session) {
  SessionRecord record;
  record.listener = worker.listeners().address(session.listener).to_string();
  record.client = std::move(session.client);
  record.node = session.sum.node;
  record.node_name = worker.nodes().name(record.node);
  record.epoch = session.sum.epoch;
  record.held = session.sum.held;
  record.connecting = session.sum.connecting;
  record.total = worker.now() - session.started;
  record.bytes_up = session.sum.bytes_up;
  record.bytes_down = session.sum.bytes_down;
  record.end[0] = session.reason.who;
  record.end[1] = session.reason.when;
  worker.shared().callbacks.on_session_end(record);
}

}  // namespace bellwether::proxy
