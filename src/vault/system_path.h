#pragma once

#include <string_view>

#include "bellwether/vault/effect.h"

namespace bellwether::vault {

// The effect of a request to one of the engines that every cluster has, by the decoded path below its mount.
[[nodiscard]] Effect effect_in_system(std::string_view path);
[[nodiscard]] Effect effect_in_identity(std::string_view path);

}  // namespace bellwether::vault
