#pragma once

#include <optional>
#include <string_view>

#include "bellwether/vault/trouble.h"

namespace bellwether::vault {

// As advise_on_silence() and advise_on_answer() have it. Certificates and nodes may say what they like in these texts:
// only what stands at a place where their words cannot be is believed, or is about themselves alone.
[[nodiscard]] Trouble trouble_of_silence(std::optional<cluster::ProbeFailure> failure, std::string_view message);
[[nodiscard]] Trouble trouble_of_answer(const NodeSetUp& set_up, int status, std::string_view problem);

}  // namespace bellwether::vault
