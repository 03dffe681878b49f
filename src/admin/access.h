#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bellwether/admin/access.h"
#include "bellwether/http/serialize.h"
#include "bellwether/wire/server.h"

namespace bellwether::admin {

// Whom the admin address answers. Admin thread.
class Access {
 public:
  explicit Access(AccessOptions options);

  // The refusal of a request to `path` (ClusterPath::rest), or nothing. /metrics, /healthz and /readyz are answered
  // whatever Host says; the last two also without the token.
  [[nodiscard]] std::optional<http::Response> refuse(const wire::ServerRequest& request, std::string_view path) const;

 private:
  [[nodiscard]] bool is_own_host(std::string_view host) const;
  [[nodiscard]] bool carries_token(const wire::ServerRequest& request) const;

  AccessOptions options_;
};

}  // namespace bellwether::admin
