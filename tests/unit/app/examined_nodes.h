#pragma once

#include <set>
#include <string>
#include <utility>

#include "app/doctor/diagnosis.h"

namespace bellwether::app::testing {

inline std::string url_of(int number) { return "https://10.0.0." + std::to_string(number) + ":8200"; }

// A healthy node of the cluster "c1", as it is seen over TLS at 10.0.0.NUMBER:8200. The first leads.
inline Examined healthy(int number) {
  Examined node;
  node.name = "n" + std::to_string(number);
  node.url = url_of(number);
  node.tls = true;
  node.address = "10.0.0." + std::to_string(number) + ":8200";
  node.set_up.host = "10.0.0." + std::to_string(number);
  node.set_up.port = 8200;
  node.set_up.is_tls = true;
  node.facts.role = number == 1 ? cluster::Role::kActive : cluster::Role::kStandby;
  node.facts.status = number == 1 ? 200 : 429;
  node.facts.cluster_id = "c1";
  node.facts.version = "2.6.2";
  node.clock_ahead = 1s;
  node.certificate = CertificateLife{60 * 24h, 90 * 24h};
  node.leader = vault::LeaderFacts{true, number == 1, url_of(1), {}, 70'000, 70'000};
  if (number == 1) node.leader->identity = url_of(1) + " 2026";
  return node;
}

// Three of them, with nothing wrong on our side.
inline ExaminedCluster healthy_cluster() {
  ExaminedCluster seen;
  for (const int number : {1, 2, 3}) seen.nodes.push_back(healthy(number));
  seen.named = {{url_of(1), {}, {seen.nodes[0].address}, false}};
  seen.own.descriptor_limit = 1'000'000;
  seen.own.memory_limit = std::uint64_t{1} << 40U;
  return seen;
}

inline void silence(Examined& node, wire::ExchangeFailure failure, std::string message) {
  node.failure = wire::ExchangeError{failure, std::move(message)};
  node.facts = {};
  node.leader.reset();
  node.clock_ahead.reset();
  node.certificate.reset();
}

// It answered, and not as a node does.
inline void answer_foreign(Examined& node, int status, std::string problem) {
  node.facts = {};
  node.facts.role = cluster::Role::kError;
  node.facts.status = status;
  node.facts.problem = std::move(problem);
  node.leader.reset();
  node.clock_ahead.reset();
}

inline config::Config proxy_config() {
  config::Config config;
  config.listen.emplace_back();
  config.listen.front().address = "127.0.0.1:8200";
  config.nodes.resize(3);
  return config;
}

// "BW001 n2": what was found, in order of text.
inline std::multiset<std::string> ids(const Diagnosis& found) {
  std::multiset<std::string> texts;
  for (const Finding& each : found.findings) texts.insert(code_of(each.id) + " " + each.node);
  return texts;
}
inline std::multiset<std::string> ids(const ExaminedCluster& seen, const config::Config& config = proxy_config()) {
  return ids(diagnose(seen, config));
}
using Ids = std::multiset<std::string>;

}  // namespace bellwether::app::testing
