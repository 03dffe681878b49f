#include "examination.h"

#include <algorithm>
#include <memory>

#include "app/discovery/nodes.h"
#include "app/service/plan.h"
#include "bellwether/net/resolver.h"
#include "node_examination.h"

namespace bellwether::app {
namespace {

constexpr Duration kResolvePatience = 5s;
constexpr Duration kNamesPatience = 2s;  // where nothing but names is asked for
constexpr std::size_t kMaxNamed = 8;     // api_addrs that are looked up

// Everything that one examination needs, while it turns the loop.
struct Laboratory {
  net::Loop& loop;
  net::Resolver& resolver;
  const config::Config& config;
  const std::vector<config::Listen>& listen;
  const std::vector<NodePlan>& plans;
  const probe::ProberOptions& options;
  std::shared_ptr<net::TlsContext> unverified;
};

// Of the names' answers: the addresses that are not used, by the place of the node of the configuration.
std::vector<std::vector<net::Address>> other_families(const std::vector<ResolvedName>& found,
                                                      const std::vector<ResolvedName>& used) {
  std::vector<std::vector<net::Address>> others(found.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (!found[i] || !used[i]) continue;
    for (const net::Address& each : *found[i]) {
      if (std::find(used[i]->begin(), used[i]->end(), each) == used[i]->end()) others[i].push_back(each);
    }
  }
  return others;
}

// The first plan of each node of the configuration gets them.
std::vector<net::Address> others_of(const NodePlan& plan, const config::Config& config,
                                    std::vector<std::vector<net::Address>>& others) {
  for (std::size_t i = 0; i < others.size(); ++i) {
    const config::Node& node = config.nodes[i];
    if (node.host == plan.host && node.port == plan.port && plan.address) return std::exchange(others[i], {});
  }
  return {};
}

std::vector<Examined> ask_nodes(const Laboratory& lab, std::vector<std::vector<net::Address>> others) {
  std::vector<std::unique_ptr<NodeExamination>> all;
  for (std::size_t i = 0; i < lab.plans.size(); ++i) {
    all.push_back(std::make_unique<NodeExamination>(lab.loop, lab.plans[i], lab.options, lab.options.targets[i],
                                                    lab.unverified, others_of(lab.plans[i], lab.config, others)));
  }
  // Health, and then the leader or the other ways: each has its own deadline, this one is only for our own mistakes.
  lab.loop.run_until(
      [&] {
        bool all_done = true;
        for (const auto& each : all) {
          each->go_on();
          all_done = all_done && each->is_done();
        }
        return all_done;
      },
      2 * (lab.config.timeout_connect + lab.config.timeout_check) + 1s);
  std::vector<Examined> found;
  for (const auto& each : all) found.push_back(each->found());
  return found;
}

void note_ways_back(const std::vector<NodePlan>& plans, const std::vector<config::Listen>& listen,
                    std::vector<Examined>& nodes) {
  for (std::size_t i = 0; i < plans.size(); ++i) {
    nodes[i].leads_back = plans[i].address && leads_back(*plans[i].address, listen);
  }
}

NamedLeader named_leader(const std::string& url, const Result<net::NameAnswer>& answer,
                         const std::vector<config::Listen>& listen) {
  NamedLeader named{url, answer ? std::string() : answer.error().message, {}, false};
  if (!answer) return named;
  for (const net::Address& each : answer->addresses) {
    named.addresses.push_back(each.to_string());
    named.leads_back = named.leads_back || leads_back(each, listen);
  }
  return named;
}

// What the api_addrs lead to that nodes state for their leader.
std::vector<NamedLeader> look_up_leaders(const Laboratory& lab, const std::vector<Examined>& nodes) {
  std::vector<std::string> urls;
  for (const Examined& node : nodes) {
    const std::string url = node.leader ? node.leader->leader_address : std::string();
    const bool is_new = std::find(urls.begin(), urls.end(), url) == urls.end();
    if (!url.empty() && is_new && urls.size() < kMaxNamed) urls.push_back(url);
  }
  // Shared with the callbacks: an answer may come after all is over.
  const auto found = std::make_shared<std::vector<std::optional<NamedLeader>>>(urls.size());
  for (std::size_t i = 0; i < urls.size(); ++i) {
    const auto origin = vault::api_origin(urls[i]);
    if (!origin) {
      (*found)[i] = NamedLeader{urls[i], "it is no URL of http or https", {}, false};
      continue;
    }
    lab.resolver.resolve(origin->host, origin->port,
                         [found, url = urls[i], &listen = lab.listen, i](const auto& answer) {
                           (*found)[i] = named_leader(url, answer, listen);
                         });
  }
  lab.loop.run_until(
      [&] { return std::all_of(found->begin(), found->end(), [](const auto& each) { return each.has_value(); }); },
      kResolvePatience);
  std::vector<NamedLeader> named;
  for (std::size_t i = 0; i < urls.size(); ++i) {
    named.push_back((*found)[i].value_or(NamedLeader{urls[i], "its name gets no answer", {}, false}));
  }
  return named;
}

Result<ExaminedCluster> examine_by(net::Loop& loop, const config::Config& config,
                                   const std::vector<config::Listen>& listen) {
  auto tls = net::TlsContext::client(node_tls_options(config));
  if (!tls) return tl::unexpected(tls.error().within("TLS to the nodes"));
  net::TlsClientOptions lenient;
  lenient.verify = false;
  auto unverified = net::TlsContext::client(lenient);
  if (!unverified) return tl::unexpected(unverified.error());
  net::Resolver resolver(loop);
  const auto found = resolve_all(loop, resolver, config.nodes, kResolvePatience);
  const auto used = usable_answers(found);
  const auto plans = plan_nodes(config.nodes, used);
  if (!plans) return tl::unexpected(plans.error());
  const auto options = prober_options(config, *plans, *tls);
  if (!options) return tl::unexpected(options.error());
  const Laboratory lab{loop, resolver, config, listen, *plans, *options, *unverified};
  ExaminedCluster seen;
  seen.nodes = ask_nodes(lab, other_families(found, used));
  note_ways_back(*plans, listen, seen.nodes);
  seen.named = look_up_leaders(lab, seen.nodes);
  return seen;
}

}  // namespace

Result<ExaminedCluster> examine_cluster(const config::Config& config, const std::vector<config::Listen>& listen) {
  auto loop = net::Loop::create({.precise_timers = true});
  if (!loop) return tl::unexpected(loop.error());
  return examine_by(**loop, config, listen);
}

Result<std::vector<Examined>> examine_names(const config::Config& config, const std::vector<config::Listen>& listen) {
  const auto loop = net::Loop::create({});
  if (!loop) return tl::unexpected(loop.error());
  net::Resolver resolver(**loop);
  const auto plans =
      plan_nodes(config.nodes, usable_answers(resolve_all(**loop, resolver, config.nodes, kNamesPatience)));
  if (!plans) return tl::unexpected(plans.error());
  std::vector<Examined> nodes;
  for (const NodePlan& plan : *plans) {
    nodes.emplace_back();
    nodes.back().name = plan.name;
    nodes.back().set_up.host = plan.host;
    nodes.back().same_as = plan.same_as;
    if (plan.address) nodes.back().address = plan.address->to_string();
  }
  note_ways_back(*plans, listen, nodes);
  return nodes;
}

}  // namespace bellwether::app
