#pragma once

#include <string>

namespace bellwether::net {

// The libraries that this process runs with, which may differ from those it was built with: for `version -v`.
[[nodiscard]] std::string openssl_version();   // "OpenSSL 3.0.17 1 Jul 2025"
[[nodiscard]] std::string libevent_version();  // "2.1.12-stable"

}  // namespace bellwether::net
