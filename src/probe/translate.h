#pragma once

#include <optional>

#include "bellwether/cluster/observation.h"
#include "bellwether/wire/client.h"

namespace bellwether::probe {

// What an exchange without an answer means for a probe. Nothing for kProtocol: there was an answer, but not HTTP.
[[nodiscard]] std::optional<cluster::ProbeFailure> probe_failure(wire::ExchangeFailure failure);

}  // namespace bellwether::probe
