#include "context.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/migration/haproxy/keywords.h"
#include "bellwether/base/visible.h"

namespace bellwether::app::migration {
namespace {

constexpr std::size_t kMaxServers = 64;  // as many nodes as a configuration may have

bool is_known(const Context& context, const Server& server) {
  return std::any_of(context.servers.begin(), context.servers.end(), [&](const Server& each) {
    return each.address.host == server.address.host && each.address.port == server.address.port;
  });
}

void add_server(const Line& line, const Section& section, const Parameters& defaults, Context& context) {
  const bool is_template = line.word(0) == "server-template";
  Server server{&line, &section, line.word(1), {}, defaults};
  read_parameters(line, is_template ? 4 : 3, server_parameters(), server.parameters, context.notes);
  const auto address = parse_server_address(line.word(is_template ? 3 : 2));
  if (!address) {
    return context.notes.lost(line,
                              "Bellwether connects to a host name or an IP address; name the node's in \"nodes\"");
  }
  server.address = *address;
  if (server.address.port == 0 && !server.address.is_service) {
    server.address.port = 8200;
    context.notes.decide(line, "it names no port, so HAProxy uses the client's; 8200 is written");
  }
  if (is_template && !server.address.is_service) {
    context.notes.note(line, "each address that the name has is a node, however many there are");
  }
  if (is_known(context, server)) return;  // another backend with the same servers
  if (context.servers.size() >= kMaxServers) {
    return context.notes.lost(line, fmt::format("more than {} nodes are not taken", kMaxServers));
  }
  context.servers.push_back(std::move(server));
}

}  // namespace

const Line* Context::global(std::string_view word) const {
  for (auto section = document.sections.rbegin(); section != document.sections.rend(); ++section) {
    if (section->kind != Section::Kind::kGlobal) continue;
    if (const Line* line = document.find(*section, word)) return line;
  }
  return nullptr;
}

std::string Context::file_name(std::string_view base, std::string_view name) const {
  const Line* line = global(base);
  if (line == nullptr || name.substr(0, 1) == "/" || name.substr(0, 1) == "@") return std::string(name);
  return fmt::format("{}/{}", line->word(1), name);
}

bool Context::is_http(const Section& section) const {
  const Line* line = document.find(section, "mode");
  return line != nullptr && line->word(1) == "http";
}

bool Context::any_server_speaks_tls() const {
  return std::any_of(servers.begin(), servers.end(), [](const Server& each) { return each.speaks_tls(); });
}

void read_servers(Context& context) {
  for (const Section* section : context.cluster.backends) {
    Parameters defaults;
    for (const Line* line : context.document.lines_of(*section)) {
      if (line->word(0) == "default-server") {
        read_parameters(*line, 1, server_parameters(), defaults, context.notes);
      } else if (line->word(0) == "server" || line->word(0) == "server-template") {
        add_server(*line, *section, defaults, context);
      }
    }
  }
}

}  // namespace bellwether::app::migration
