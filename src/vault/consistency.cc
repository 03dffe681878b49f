#include "bellwether/vault/consistency.h"

namespace bellwether::vault {

bool states_index(const http::RequestHead& head) {
  const auto index = head.header("X-Vault-Index");
  return index && !index->empty();
}

bool says_index_not_reached(const http::ResponseHead& answer, bool request_states_index) {
  if (!request_states_index) return false;
  if (answer.status == 412) return true;
  return answer.status == 429 && answer.header("Retry-After") == "1" && !answer.header("X-Ratelimit-Limit");
}

}  // namespace bellwether::vault
