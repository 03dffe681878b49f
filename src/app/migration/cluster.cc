#include "cluster.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "bellwether/base/text.h"
#include "bellwether/base/visible.h"
#include "health_check.h"

namespace bellwether::app::migration {
namespace {

constexpr std::string_view kClusterPort = ":8201";  // Vault's own traffic between its nodes
constexpr std::size_t kMaxNamed = 20;

bool is_server(const Line& line) { return line.word(0) == "server" || line.word(0) == "server-template"; }

std::string_view address_of(const Line& line) { return line.word(line.word(0) == "server" ? 2 : 3); }

std::set<std::string> addresses_of(const Section& section) {
  std::set<std::string> found;
  for (const Line& each : section.lines) {
    if (is_server(each)) found.insert(lower_ascii(address_of(each)));
  }
  return found;
}

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

// The cluster port speaks no HTTP, so there is no leader to be asked for.
bool is_cluster_port(const Section& section) {
  const std::set<std::string> found = addresses_of(section);
  return !found.empty() && std::all_of(found.begin(), found.end(), [](const std::string& each) {
    return each.size() > kClusterPort.size() && each.substr(each.size() - kClusterPort.size()) == kClusterPort;
  });
}

bool looks_like_vault(const Document& document, const Section& section) {
  const std::string name = lower_ascii(section.name);
  if (has(name, "vault") || has(name, "bao")) return true;
  if (read_check(document, section).asks_health) return true;
  const std::set<std::string> addresses = addresses_of(section);
  return std::any_of(addresses.begin(), addresses.end(), [](const std::string& each) {
    return has(each, ":8200") || has(each, "vault") || has(each, "bao");
  });
}

// Backends with the same servers are one cluster.
std::vector<std::vector<const Section*>> grouped(const std::vector<const Section*>& sections) {
  std::vector<std::vector<const Section*>> groups;
  std::map<std::set<std::string>, std::size_t> known;
  for (const Section* each : sections) {
    const auto [at, is_new] = known.emplace(addresses_of(*each), groups.size());
    if (is_new) groups.emplace_back();
    groups[at->second].push_back(each);
  }
  return groups;
}

std::string choices(const std::vector<std::vector<const Section*>>& groups) {
  std::string text;
  for (std::size_t i = 0; i < groups.size() && i < kMaxNamed; ++i) {
    const Section& first = *groups[i].front();
    const char* flag = first.kind == Section::Kind::kListen ? "--listen" : "--backend";
    text += fmt::format("\n  {} {}   (line {}, {} servers)", flag, for_people(first.name), first.line,
                        addresses_of(first).size());
  }
  if (groups.size() > kMaxNamed) text += fmt::format("\n  and {} more", groups.size() - kMaxNamed);
  return text;
}

// Where a frontend sends clients: the names of backends, with their conditions left out.
std::vector<std::string_view> targets_of(const Document& document, const Section& frontend) {
  std::vector<std::string_view> names;
  if (const Line* line = document.find(frontend, "default_backend")) names.push_back(line->word(1));
  for (const Line* each : document.all(frontend, "use_backend")) names.push_back(each->word(1));
  return names;
}

Cluster with_frontends(const Document& document, std::vector<const Section*> backends) {
  Cluster cluster;
  const auto leads_here = [&](std::string_view name) {
    return std::any_of(backends.begin(), backends.end(), [&](const Section* each) { return each->name == name; });
  };
  for (const Section& each : document.sections) {
    if (!each.takes_clients()) continue;
    const std::vector<std::string_view> targets = targets_of(document, each);
    const bool is_own = std::find(backends.begin(), backends.end(), &each) != backends.end();
    if (!is_own && std::none_of(targets.begin(), targets.end(), leads_here)) continue;
    cluster.frontends.push_back(&each);
    if (!std::all_of(targets.begin(), targets.end(), leads_here)) cluster.partial.push_back(&each);
  }
  cluster.backends = std::move(backends);
  return cluster;
}

Choice chosen_by_name(const Document& document, const std::vector<const Section*>& sections,
                      const std::vector<std::string>& names) {
  std::vector<const Section*> found;
  for (const std::string& name : names) {
    const auto is_it = [&](const Section* each) { return each->name == name; };
    const auto at = std::find_if(sections.begin(), sections.end(), is_it);
    if (at == sections.end()) {
      return {{},
              fmt::format("no backend or listen section \"{}\" has servers; those that have:{}", for_people(name),
                          choices(grouped(sections)))};
    }
    if (std::find(found.begin(), found.end(), *at) == found.end()) found.push_back(*at);
  }
  return {with_frontends(document, found), ""};
}

}  // namespace

bool is_stats_page(const Section& section) {
  const auto says = [&](std::string_view first, std::string_view second) {
    return std::any_of(section.lines.begin(), section.lines.end(), [&](const Line& each) {
      return each.word(0) == first && (second.empty() || each.word(1) == second);
    });
  };
  return section.takes_clients() && (says("stats", "enable") || says("stats", "uri")) && !says("server", "") &&
         !says("default_backend", "") && !says("use_backend", "");
}

Choice choose_cluster(const Document& document, const std::vector<std::string>& names) {
  std::vector<const Section*> sections, likely;
  for (const Section& each : document.sections) {
    if (!each.has_servers() || addresses_of(each).empty()) continue;
    sections.push_back(&each);
    if (!is_cluster_port(each) && looks_like_vault(document, each)) likely.push_back(&each);
  }
  if (sections.empty()) return {{}, "no backend and no listen section has servers: there is nothing to import"};
  if (!names.empty()) return chosen_by_name(document, sections, names);
  const auto groups = grouped(likely.empty() ? sections : likely);
  if (groups.size() == 1) return {with_frontends(document, groups.front()), ""};
  return {{},
          fmt::format("an import makes the file of one cluster, and this one has servers of {}. Import each into a "
                      "file of its own, /etc/bellwether/NAME.json, which the unit bellwether@NAME serves, or put the "
                      "results together as \"clusters\" of one file. Choose one:{}",
                      groups.size(), choices(groups))};
}

}  // namespace bellwether::app::migration
