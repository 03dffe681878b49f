#pragma once

#include "draft.h"

namespace bellwether::config {

// The parts of finish() that several clusters need one by one.

// A listener's options: its own, and for the rest those of `common`.
[[nodiscard]] Listen listen_of(const ListenEntry& entry, const Config& common);
// Without any listener there is the default one, of the cluster named `cluster`.
void add_default_listener(Draft& draft, const std::string& cluster);
void refuse_own_address(const ListenEntry& entry, const NodeEntry& node, Draft& draft);
// Keys without the certificate that they belong to.
void check_keys(Draft& draft);
// Listeners, nodes and options of one cluster.
void finish_cluster(Draft& draft);

// Where the file has `clusters`: Config::clusters, and the listeners of all.
void finish_clusters(Draft& draft);

}  // namespace bellwether::config
