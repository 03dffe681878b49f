#include "claim_wait.h"

#include "bellwether/vault/effect.h"
#include "proxy/core/worker_core.h"

namespace bellwether::proxy {

// The method does not tell: POST auth/token/lookup reads, and a DELETE of what a node does not know of yet writes
// nothing. Nor does 404 tell that there is nothing, nor 403 that a token is unknown.
bool ClaimWait::is_needed(const http::ResponseHead& head, bool is_fresh) const {
  const Request& request = exchange_.request;
  const bool is_asked_for = is_fresh && request.is_for_leader && request.request_class != vault::RequestClass::kStream;
  if (!is_asked_for || head.status >= 500) return false;
  const std::string_view body = exchange_.from_node.view().substr(head.bytes);
  return !vault::is_sure_write(request.method, request.path, head.status, body);
}

bool ClaimWait::begin(WaitQueue& waiting) {
  exchange_.attempt.answered_at = worker_.loop().precise_now();
  waiting.push_back(*this);
  if (!is_of_leader()) return false;
  worker_.want_claim(since());
  return true;
}

void ClaimWait::end(WaitQueue& waiting) {
  if (!is_under_way()) return;
  exchange_.attempt.answered_at = kNever;
  waiting.remove(*this);
}

bool ClaimWait::is_of_leader() const {
  return cluster::leads_in(*worker_.view(), exchange_.attempt.node, exchange_.attempt.epoch);
}

}  // namespace bellwether::proxy
