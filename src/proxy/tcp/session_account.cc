#include "session_account.h"

namespace bellwether::proxy {

std::string SessionAccount::proxy_header(net::ProxyVersion version) const {
  return origin_ ? net::proxy_header(version, origin_->client, origin_->destination) : net::proxy_header_local(version);
}

void SessionAccount::log(const WorkerCore& worker, const SessionSum& sum, EndReason reason) const {
  if (!origin_ || !are_sessions_logged(worker)) return;
  log_session_end(worker, {origin_->listener, origin_->client.to_string(), started_, sum, reason});
}

}  // namespace bellwether::proxy
