#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "bellwether/cluster/observation.h"
#include "bellwether/net/address.h"
#include "bellwether/wire/client.h"

namespace bellwether::probe {

// What an exchange without an answer means for a probe. Nothing for kProtocol: there was an answer, but not HTTP.
[[nodiscard]] std::optional<cluster::ProbeFailure> probe_failure(wire::ExchangeFailure failure);

// What a connection to `address` said, for people who know the node as `host`: without the address where that is the
// host itself, else with the address behind it.
[[nodiscard]] std::string message_for(std::string_view host, const std::optional<net::Address>& address,
                                      std::string_view message);

}  // namespace bellwether::probe
