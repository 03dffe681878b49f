#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bellwether/cluster/observation.h"
#include "bellwether/vault/advice.h"
#include "bellwether/vault/health.h"
#include "bellwether/wire/client.h"

namespace bellwether::app {

// What `check` saw, as values: what is wrong with it is decided in diagnosis.h.

// Of a certificate: from now to its end, and from its begin to its end.
struct CertificateLife {
  Duration lasts{};
  Duration whole{};
};

// What another way of asking brought, tried where the configured one got no answer of Vault's.
struct OtherWays {
  bool was_tls_tried = false;         // of a node whose URL is http://: over TLS, unverified
  bool tls_answers = false;           // ... and it spoke it
  bool other_preamble_works = false;  // without a PROXY header where we send one, with one where we send none
};

// Of a name with addresses of both families.
struct OtherFamily {
  std::string address;
  bool is_closed = false;  // it refuses, or does not answer. Not: this machine has no way to that family
};

// What one node showed.
struct Examined {
  std::string name;
  std::string url;
  bool tls = false;
  vault::NodeSetUp set_up;
  std::string address;                 // empty: the name did not resolve
  std::optional<std::size_t> same_as;  // the place of the node whose server this is another name of, by its address
  std::optional<wire::ExchangeError> failure;
  cluster::HealthFacts facts;
  std::optional<vault::LeaderFacts> leader;
  Duration latency{};
  std::optional<Duration> clock_ahead;         // the node's clock minus ours
  std::optional<CertificateLife> certificate;  // of the node
  std::vector<std::string> certificate_names;  // that it is for
  bool leads_back = false;                     // to one of our listeners
  OtherWays other_ways;
  std::vector<OtherFamily> other_family;
};

// An api_addr that nodes state for their leader, and what it leads to from here.
struct NamedLeader {
  std::string url;
  std::string problem;  // why it leads nowhere; empty: it has addresses
  std::vector<std::string> addresses;
  bool leads_back = false;  // to one of our listeners
};

struct OwnCertificateSeen {
  std::string option;  // "tls_cert", "client_cert"
  std::string file;
  std::optional<std::string> problem;  // "expired on ..."
  std::optional<CertificateLife> life;
};

// Of this machine and the files that the configuration names.
struct OwnSide {
  std::vector<OwnCertificateSeen> certificates;
  std::vector<std::string> unusable;   // files, each with what is wrong
  std::uint64_t descriptor_limit = 0;  // 0: not known
  std::uint64_t memory_limit = 0;      // bytes; 0: not known
};

struct ExaminedCluster {
  std::vector<Examined> nodes;
  std::vector<NamedLeader> named;
  OwnSide own;
};

}  // namespace bellwether::app
