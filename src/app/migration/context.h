#pragma once

#include <string_view>
#include <vector>

#include "app/migration/haproxy/addresses.h"
#include "app/migration/haproxy/notes.h"
#include "app/migration/haproxy/parameters.h"
#include "app/migration/haproxy/sections.h"
#include "app/migration/haproxy/surroundings.h"
#include "cluster.h"
#include "health_check.h"
#include "plan.h"

namespace bellwether::app::migration {

// A `server` or `server-template` line with what "default-server" lines say for it.
struct Server {
  const Line* line = nullptr;
  const Section* section = nullptr;
  std::string_view name;
  ServerAddress address;
  Parameters parameters;

  [[nodiscard]] bool speaks_tls() const { return parameters.has("ssl"); }
};

// What the steps of an import have in common: what they read, and the plan that they add to.
struct Context {
  const Document& document;
  const Cluster& cluster;
  const Surroundings& surroundings;
  Notes& notes;
  Plan& plan;
  std::vector<Server> servers;

  // The last line of any "global" section that begins with the word.
  [[nodiscard]] const Line* global(std::string_view word) const;
  // A relative file name counts from the directory that "ca-base" or "crt-base" names.
  [[nodiscard]] std::string file_name(std::string_view base, std::string_view name) const;
  [[nodiscard]] bool is_http(const Section& section) const;  // "mode http"; HAProxy's default is tcp
  [[nodiscard]] bool any_server_speaks_tls() const;
};

// The steps, in this order; each tells what it leaves out.
void read_servers(Context& context);
void map_listeners(Context& context);
void map_nodes(Context& context);
void map_node_tls(Context& context);
void map_probes(Context& context);
void map_limits(Context& context);
void tell_the_rest(Context& context);

}  // namespace bellwether::app::migration
