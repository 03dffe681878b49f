#include "session_account.h"

#include "proxy/core/worker_core.h"

namespace bellwether::proxy {

std::string SessionAccount::proxy_header(net::ProxyVersion version) const {
  return origin_ ? net::proxy_header(version, origin_->client, origin_->destination) : net::proxy_header_local(version);
}

void SessionAccount::log(const WorkerCore& worker, const SessionEnd& end) const {
  if (!origin_ || !worker.options().log_sessions || !worker.shared().callbacks.on_session_end) return;
  SessionRecord record;
  record.listener = worker.listeners().address(origin_->listener).to_string();
  record.client = origin_->client.to_string();
  record.node = end.node;
  record.node_name = worker.nodes().name(record.node);
  record.epoch = end.epoch;
  record.held = end.held;
  record.connecting = end.connecting;
  record.total = worker.now() - started_;
  record.bytes_up = end.bytes_up;
  record.bytes_down = end.bytes_down;
  record.end[0] = end.reason.who;
  record.end[1] = end.reason.when;
  worker.shared().callbacks.on_session_end(record);
}

}  // namespace bellwether::proxy
