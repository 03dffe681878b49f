#pragma once

#include <optional>
#include <vector>

#include "bellwether/base/ids.h"
#include "bellwether/cluster/view.h"

namespace bellwether::proxy {

// The node that a request goes to which is not for the leader alone. Pure. Only nodes of ours that are in service are
// chosen, and none of those that the request was `tried` on already; empty if there is no other.

// For a question that every node answers for itself: the leader if it is not suspect, else the first that answers.
[[nodiscard]] std::optional<NodeId> choose_any_node(const cluster::View& view, const std::vector<NodeId>& tried);
// The first in the configuration's order that answers and says that it is in that role.
[[nodiscard]] std::optional<NodeId> choose_node_in_role(const cluster::View& view, cluster::Role role,
                                                        const std::vector<NodeId>& tried);

}  // namespace bellwether::proxy
