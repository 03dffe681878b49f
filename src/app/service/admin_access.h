#pragma once

#include <string>
#include <vector>

#include "bellwether/admin/access.h"
#include "bellwether/base/result.h"
#include "bellwether/config/config.h"
#include "bellwether/net/address.h"

namespace bellwether::app {

// Whom the admin address answers: admin_hosts, this machine's names, and the token in admin_token_file. Warns of a
// token that everybody on this machine can read.
[[nodiscard]] Result<admin::AccessOptions> admin_access(const config::Config& config);

// The names by which the admin address may be asked: admin_hosts and this machine's own.
[[nodiscard]] std::vector<std::string> admin_hosts(const config::Config& config);

// The token in that file: its only line, 16 to 512 visible ASCII characters.
[[nodiscard]] Result<std::string> read_token(const std::string& file);

// Whether others than this machine's processes reach what listens there.
[[nodiscard]] bool is_exposed(const net::Address& address);

// Logs a warning if others than this machine's processes reach the admin address and need no token.
void warn_if_exposed(const net::Address& admin, const admin::AccessOptions& access);

}  // namespace bellwether::app
