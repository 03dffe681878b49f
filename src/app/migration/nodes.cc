#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "context.h"

namespace bellwether::app::migration {
namespace {

// The name that the certificate must carry: HAProxy's `verifyhost`, else what it asks for.
std::string server_name_of(const Server& server) {
  for (const std::string_view word : {"verifyhost", "check-sni", "sni"}) {
    std::string_view name = server.parameters.last(word);
    if (word == "sni") {
      if (name.substr(0, 4) != "str(" || name.back() != ')') continue;
      name = name.substr(4, name.size() - 5);
    }
    const bool is_plain = !name.empty() && name.find_first_not_of(
                                               "abcdefghijklmnopqrstuvwxyz"
                                               "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") == std::string_view::npos;
    if (is_plain && name.front() != '-' && name.front() != '.' && name.find("..") == std::string_view::npos) {
      return std::string(name);
    }
  }
  return "";
}

// Clients' TLS reaches the nodes if a rule of the frontend reads their hello.
bool reads_hello(const Context& context) {
  for (const Section* each : context.cluster.frontends) {
    for (const Line* line : context.document.lines_of(*each)) {
      for (const std::string& word : line->words) {
        const bool is_hello = word.find("ssl_hello_type") != std::string::npos ||
                              word.find("req_ssl_") != std::string::npos || word.find("req.ssl_") != std::string::npos;
        if (is_hello) return true;
      }
    }
  }
  return false;
}

// Do nodes speak TLS? Where HAProxy passes bytes through, its own file may not tell.
class NodeSchemes {
 public:
  explicit NodeSchemes(Context& context) : context_(context), has_hello_(reads_hello(context)) {}

  bool speaks_tls(const Server& server) {
    if (server.speaks_tls()) return true;
    const auto [at, is_new] = sections_.try_emplace(server.section);
    Passed& passed = at->second;
    if (is_new) passed = {context_.is_http(*server.section), read_check(context_.document, *server.section)};
    if (passed.is_http) return false;
    if (passed.check.says_tls || server.parameters.has("check-ssl") || has_hello_) return true;
    if (passed.check.asks_http) return false;
    const Line& line = passed.check.line != nullptr ? *passed.check.line : *server.line;
    context_.notes.decide(line,
                          "the file does not tell whether the nodes speak TLS; https:// is written, as HAProxy passes "
                          "bytes through: write http:// if VAULT_ADDR of your clients begins so");
    return true;
  }

 private:
  struct Passed {
    bool is_http = false;
    HealthCheck check;
  };

  Context& context_;
  bool has_hello_;
  std::map<const Section*, Passed> sections_;
};

std::string url_of(const Server& server, bool tls) {
  const std::string_view scheme = tls ? "https" : "http";
  const ServerAddress& address = server.address;
  if (address.is_service) return fmt::format("srv+{}://{}", scheme, address.host);
  const bool is_ipv6 = address.host.find(':') != std::string::npos;
  return fmt::format("{}://{}:{}", scheme, is_ipv6 ? fmt::format("[{}]", address.host) : address.host, address.port);
}

bool may_be_name(std::string_view text) {
  return !text.empty() && text.size() <= 128 &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-:[]") ==
             std::string_view::npos;
}

bool all_have_name(const std::vector<Server>& servers, const std::string& name) {
  return std::all_of(servers.begin(), servers.end(), [&](const Server& each) { return server_name_of(each) == name; });
}

}  // namespace

void map_nodes(Context& context) {
  const std::string common = context.servers.empty() ? "" : server_name_of(context.servers.front());
  const bool has_common = !common.empty() && all_have_name(context.servers, common);
  NodeSchemes schemes(context);
  std::set<std::string_view> names;
  for (const Server& each : context.servers) {
    Node node;
    const bool tls = schemes.speaks_tls(each);
    node.url = url_of(each, tls);
    node.from = Source(*each.line);
    // A node with a name of its own is one address, which a host name need not be.
    const bool is_new = names.insert(each.name).second;
    if (each.address.is_numeric && may_be_name(each.name) && is_new) node.name = each.name;
    if (tls && !has_common) node.server_name = server_name_of(each);
    if (each.parameters.has("disabled") && context.servers.size() > 1) {
      node.is_off = true;
      node.remark = "disabled in HAProxy";
      context.notes.decide(*each.line,
                           "the server is disabled and so written as a comment: a node that is in the "
                           "cluster belongs here, `bellwether node NAME maint` takes it out");
    }
    context.plan.nodes.push_back(std::move(node));
  }
  const bool any_on =
      std::any_of(context.plan.nodes.begin(), context.plan.nodes.end(), [](const Node& each) { return !each.is_off; });
  if (!any_on && !context.plan.nodes.empty()) context.plan.nodes.front().is_off = false;
  const auto is_tls = [](const Node& each) { return each.url.find("https://") != std::string::npos; };
  const bool any_tls = std::any_of(context.plan.nodes.begin(), context.plan.nodes.end(), is_tls);
  if (has_common && any_tls) {
    context.plan.settings.push_back({"server_name", json_string(common), Source(*context.servers.front().line)});
  }
}

}  // namespace bellwether::app::migration
