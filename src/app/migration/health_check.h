#pragma once

#include "app/migration/haproxy/sections.h"

namespace bellwether::app::migration {

// How HAProxy checks the servers of a section.
struct HealthCheck {
  const Line* line = nullptr;  // "option httpchk", "option tcp-check", ...; nullptr: by connecting only, if at all
  bool asks_http = false;
  bool asks_health = false;         // /v1/sys/health
  bool finds_leader = false;        // a standby counts as down
  bool says_tls = false;            // its connection is made with TLS, whatever the server lines say
  const Line* elsewhere = nullptr;  // it asks another port or address
};

[[nodiscard]] HealthCheck read_check(const Document& document, const Section& section);

}  // namespace bellwether::app::migration
