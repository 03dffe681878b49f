#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "app/doctor/examined.h"

namespace bellwether::app {

// What `check --live` saw of each node of one cluster, a row or an object each. An object names `cluster`, if that has
// a name.
[[nodiscard]] std::string table_of(const std::vector<Examined>& nodes, bool verified);
[[nodiscard]] nlohmann::ordered_json nodes_json(const std::vector<Examined>& nodes, const std::string& cluster);

}  // namespace bellwether::app
