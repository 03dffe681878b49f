#include <fmt/format.h>

#include <algorithm>

#include "context.h"

namespace bellwether::app::migration {
namespace {

bool nodes_speak_tls(const Plan& plan) {
  return std::any_of(plan.nodes.begin(), plan.nodes.end(),
                     [](const Node& each) { return each.url.find("https://") != std::string::npos; });
}

// The parameter as the first server that has it says it; tells if another one says otherwise.
const Server* first_with(Context& context, std::string_view word) {
  const Server* first = nullptr;
  for (const Server& each : context.servers) {
    if (!each.parameters.has(word)) continue;
    if (first == nullptr) first = &each;
    if (each.parameters.last(word) == first->parameters.last(word)) continue;
    context.notes.decide(*each.line, fmt::format("servers have different values of \"{}\"; that of the first is used "
                                                 "for all",
                                                 word));
  }
  return first;
}

void add(std::string_view key, std::string value, const Line& line, Context& context) {
  context.plan.settings.push_back({key, std::move(value), Source(line)});
}

void map_verification(Context& context) {
  const Server* verify = first_with(context, "verify");
  const Line* global = context.global("ssl-server-verify");
  const bool by_server = verify != nullptr && verify->parameters.last("verify") == "none";
  const bool by_global = verify == nullptr && global != nullptr && global->word(1) == "none";
  if (by_server || by_global) {
    const Line& line = by_server ? *verify->parameters.line_of("verify") : *global;
    add("verify", "false", line, context);
    context.notes.decide(line,
                         "anyone on the network can pose as the leader to whoever does not verify: name the CA of the "
                         "nodes in ca_file and leave \"verify\" out");
  }
  const Server* ca = first_with(context, "ca-file");
  if (ca != nullptr && ca->parameters.last("ca-file") == "@system-ca") return;  // the default
  if (ca != nullptr) {
    const Line& line = *ca->parameters.line_of("ca-file");
    add("ca_file", json_string(context.file_name("ca-base", ca->parameters.last("ca-file"))), line, context);
    return;
  }
  if (by_server || by_global) return;
  context.plan.settings.push_back({"ca_file",
                                   json_string("/etc/vault/ca.pem"),
                                   {},
                                   "the CA of the nodes' certificates, unless the system trusts it",
                                   true});
  context.notes.add(FindingKind::kDecide, 0, "certificates of the nodes",
                    "the file names no CA, and Bellwether verifies whom it asks: set ca_file, unless the system trusts "
                    "the CA; where nodes are IP addresses their certificates must have these, or set server_name");
}

void map_own_certificate(Context& context) {
  const Server* server = first_with(context, "crt");
  if (server == nullptr) return;
  add("client_cert", json_string(context.file_name("crt-base", server->parameters.last("crt"))),
      *server->parameters.line_of("crt"), context);
}

void map_asked_name(Context& context) {
  const Server* server = first_with(context, "sni");
  if (server == nullptr || server->parameters.last("sni").substr(0, 4) == "str(") return;
  context.notes.lost(*server->parameters.line_of("sni"),
                     "nodes are asked for one name, not for the client's: set server_name to what their certificates "
                     "are for");
}

void map_proxy_header(Context& context) {
  const Line* found = nullptr;
  bool is_second = false;
  for (const Server& each : context.servers) {
    for (const auto& [word, given] : each.parameters.given) {
      if (word.substr(0, 10) != "send-proxy") continue;
      found = given.line;
      is_second = is_second || word != "send-proxy";
    }
  }
  if (found != nullptr) add("send_proxy", json_string(is_second ? "v2" : "v1"), *found, context);
}

// "source 10.0.0.5", on a server or for all of them.
void map_source(Context& context) {
  const Server* server = first_with(context, "source");
  const Line* line = server != nullptr ? server->parameters.line_of("source") : nullptr;
  std::string_view text = server != nullptr ? server->parameters.last("source") : "";
  if (line == nullptr && !context.cluster.backends.empty()) {
    line = context.document.find(*context.cluster.backends.front(), "source");
    if (line != nullptr) text = line->word(1);
  }
  if (line == nullptr) return;
  const auto whole = parse_server_address(fmt::format("{}:0", text));
  const auto with_port = parse_server_address(text);
  const auto& address = whole && whole->is_numeric ? whole : with_port;
  if (address && address->is_numeric) return add("source", json_string(address->host), *line, context);
  context.notes.lost(*line, "`source` takes one numeric address");
}

}  // namespace

void map_node_tls(Context& context) {
  map_proxy_header(context);
  map_source(context);
  if (!nodes_speak_tls(context.plan)) return;
  map_verification(context);
  map_own_certificate(context);
  map_asked_name(context);
}

}  // namespace bellwether::app::migration
