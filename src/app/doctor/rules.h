#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bellwether/config/config.h"
#include "examined.h"
#include "finding.h"

namespace bellwether::app {

// The rules behind diagnosis.h, by subject. Each adds what it finds.

// node_rules.cc: of each node alone.
void check_node(const Examined& node, Diagnosis& out);
void check_way_back(const Examined& node, Diagnosis& out);

// cluster_rules.cc: of the nodes together.
void check_same_servers(const std::vector<Examined>& nodes, Diagnosis& out);
void check_cluster_ids(const std::vector<Examined>& nodes, const config::Config& config, Diagnosis& out);
void check_versions(const std::vector<Examined>& nodes, const config::Config& config, Diagnosis& out);
void check_leadership(const ExaminedCluster& seen, const config::Config& config, Diagnosis& out);
void check_raft(const std::vector<Examined>& nodes, const config::Config& config, Diagnosis& out);

// api_addr_rules.cc: of what nodes state about their leader's address.
void check_api_addresses(const ExaminedCluster& seen, const config::Config& config, Diagnosis& out);

// own_rules.cc: of this machine and of the configuration.
void check_own_files(const OwnSide& own, Diagnosis& out);
void check_own_certificates(const OwnSide& own, Diagnosis& out);
void check_exposed_listeners(const config::Config& config, Diagnosis& out);  // and nodes that are not verified
void check_exposed_admin(const config::Config& config, Diagnosis& out);
// `config`: of the process, since its clusters share the limits.
void check_limits(const OwnSide& own, const config::Config& config, Diagnosis& out);

// What several rules ask of the nodes.

// The place of an earlier node that is the same server: by address, or by what both state in sys/leader.
[[nodiscard]] std::optional<std::size_t> same_server(const std::vector<Examined>& nodes, std::size_t index);
// Of the nodes that are servers of their own and do not state another cluster than the most, or than the configured
// one.
[[nodiscard]] std::vector<const Examined*> members(const std::vector<Examined>& nodes, const config::Config& config);
// Those members that say that they lead.
[[nodiscard]] std::vector<const Examined*> claimants(const std::vector<const Examined*>& members);
// Whether it is less than a third of a certificate's time, and less than 30 days, to its end.
[[nodiscard]] bool ends_soon(const CertificateLife& life);
[[nodiscard]] std::string days_text(Duration lasts);
// "127.0.0.1:8200" and its like.
[[nodiscard]] bool is_on_loopback(const std::string& address);

}  // namespace bellwether::app
