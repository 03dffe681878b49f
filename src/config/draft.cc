#include "draft.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "bellwether/base/visible.h"
#include "text_values.h"

namespace bellwether::config {
namespace {

constexpr std::size_t kMaxListeners = 64;
constexpr std::size_t kMaxItems = 256;

}  // namespace

std::string Problem::to_string() const {
  return for_people(line > 0 ? fmt::format("{}:{}:{}: {}", file, line, column, message)
                             : fmt::format("{}: {}", file, message));
}

void Draft::problem(const Place& place, std::string message) {
  problems.push_back({place.file, place.at.line, place.at.column, std::move(message)});
}

void Draft::hint(const Place& place, std::string message) {
  hints.push_back({place.file, place.at.line, place.at.column, std::move(message)});
}

void Draft::unused_problem(std::string_view key, const Place& place, std::string_view why) {
  problem(place, fmt::format("{}: {}", key, why));
  unused.push_back({key, problems.back()});
}

void Draft::unused_hint(std::string_view key, const Place& place, std::string_view why) {
  hint(place, fmt::format("{}: {}", key, why));
  unused.push_back({key, hints.back()});
}

Place Draft::place_of(std::string_view key, std::string_view other) const {
  for (const std::map<std::string_view, Place>* layer : {&own, &places}) {
    for (std::string_view each : {key, other}) {
      if (const auto found = layer->find(each); found != layer->end()) return found->second;
    }
  }
  return Place{"configuration", {}};
}

bool add_listener(ListenEntry entry, Draft& draft) {
  const std::string& address = entry.address;
  if (const Result<void> fine = check_listen_address(address); !fine) {
    draft.problem(entry.at, fmt::format("listen: {}", fine.error().message));
    return false;
  }
  const bool is_known = std::any_of(draft.listen.begin(), draft.listen.end(),
                                    [&](const ListenEntry& each) { return each.address == address; });
  // Port 0 is a new port each time.
  const bool is_any_port = address.size() > 2 && address.substr(address.size() - 2) == ":0";
  if (is_known && !is_any_port) {
    draft.problem(entry.at, fmt::format("listen: \"{}\" is here twice", address));
    return false;
  }
  if (draft.listen.size() >= kMaxListeners) {
    draft.problem(entry.at, fmt::format("listen: more than {} listeners", kMaxListeners));
    return false;
  }
  draft.listen.push_back(std::move(entry));
  return true;
}

bool add_node(NodeEntry entry, std::string_view url, NodeList& nodes, Draft& draft) {
  const Result<ParsedUrl> parsed = parse_url(url);
  if (!parsed) {
    draft.problem(entry.at, fmt::format("nodes: {}", parsed.error().message));
    return false;
  }
  Node& node = entry.node;
  node.url = std::string(url);
  node.tls = parsed->tls;
  node.host = parsed->host;
  node.port = parsed->port;
  node.is_service = parsed->is_service;
  if (node.is_service && !(node.name.empty() && node.public_address.empty())) {
    draft.problem(entry.at, fmt::format("nodes: {} is as many nodes as its SRV records lead to; remove its {}", url,
                                        node.name.empty() ? "public_address" : "name"));
    return false;
  }
  const std::string address = node.is_service ? node.host : host_and_port(node.host, node.port);
  if (node.name.empty()) node.name = address;
  if (node.public_address.empty()) node.public_address = fmt::format("{}://{}", node.tls ? "https" : "http", address);
  if (!parsed->has_port && !node.is_service)
    draft.hint(entry.at, fmt::format("nodes: \"{}\" has no port; 8200 is used", url));
  for (const NodeEntry& each : nodes.entries) {
    if (each.node.host == node.host && each.node.port == node.port) {
      draft.problem(entry.at, fmt::format("nodes: {} is here twice", address));
      return false;
    }
    if (each.node.name == node.name) {
      draft.problem(entry.at, fmt::format("nodes: two nodes are named \"{}\"", node.name));
      return false;
    }
  }
  if (nodes.entries.size() >= kMaxNodes) {
    if (!std::exchange(nodes.has_too_many, true)) {
      draft.problem(entry.at, fmt::format("nodes: more than {} nodes", kMaxNodes));
    }
    return false;
  }
  nodes.entries.push_back(std::move(entry));
  return true;
}

bool add_item(const Option& option, const ListField& list, std::string_view text, const Place& place, Config& config,
              Draft& draft) {
  std::vector<std::string>& items = config.*list.member;
  if (const Result<void> fine = list.check(text); !fine) {
    draft.problem(place, fmt::format("{}: {}", option.key, fine.error().message));
    return false;
  }
  if (items.size() >= kMaxItems) {
    draft.problem(place, fmt::format("{}: more than {}", option.key, kMaxItems));
    return false;
  }
  items.emplace_back(text);
  return true;
}

bool add_certificate(const Option& option, const CertificatesField& field, Certificate certificate, const Place& place,
                     Config& config, Draft& draft) {
  std::vector<Certificate>& all = config.*field.member;
  const auto is_same = [&](const Certificate& each) { return each.cert == certificate.cert; };
  if (std::any_of(all.begin(), all.end(), is_same)) {
    draft.problem(place, fmt::format("{}: \"{}\" is here twice", option.key, certificate.cert));
    return false;
  }
  if (all.size() >= kMaxItems) {
    draft.problem(place, fmt::format("{}: more than {}", option.key, kMaxItems));
    return false;
  }
  all.push_back(std::move(certificate));
  return true;
}

}  // namespace bellwether::config
