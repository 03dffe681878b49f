#pragma once

#include "bellwether/http/head.h"

namespace bellwether::vault {

// The consistency headers of Vault Enterprise and of OpenBao from 2.7 on (FACTS.md 7): an answer may carry the storage
// index that the node had reached, X-Vault-Index, and a later request that states it is refused by a node that is
// behind.
[[nodiscard]] bool states_index(const http::RequestHead& head);

// The node refused a request that states an index, because it has not reached it: 412 (Vault), 429 with Retry-After: 1
// (OpenBao). It looks at the index before it routes, so nothing was executed. A quota's 429 brings X-Ratelimit headers
// if any, and a standby's is an answer to sys/health only.
[[nodiscard]] bool says_index_not_reached(const http::ResponseHead& answer, bool request_states_index);

}  // namespace bellwether::vault
