#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bellwether/http/serialize.h"

namespace bellwether::vault {

// A GET of ours to a node, never forwarded by it: a standby then speaks for itself (V16:http/handler.go). A standby of
// OpenBao 2.7 with consistency_missing_header_forward forwards whatever carries no consistency header, so one is sent
// (FACTS.md 7).
[[nodiscard]] inline std::string get_request(std::string_view target, std::string_view host,
                                             const std::vector<http::HeaderField>& extra) {
  http::Request request;
  request.target = target;
  request.host = host;
  request.headers.push_back({"X-Vault-No-Request-Forwarding", "true"});
  request.headers.push_back({"X-Vault-Inconsistent", "fail"});
  request.headers.insert(request.headers.end(), extra.begin(), extra.end());
  return http::serialize(request);
}

}  // namespace bellwether::vault
