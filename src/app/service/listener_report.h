#pragma once

#include <string>
#include <vector>

#include "app/process/log.h"
#include "bellwether/config/config.h"
#include "bellwether/net/address.h"
#include "plan.h"

namespace bellwether::app {

// What people are told of listeners and of the certificates that we show. Vectors of addresses and contexts are in the
// order of the listeners.

// A log line for each that was not there before; `addresses`: of `now`, with real ports.
void say_new_listeners(const log::ClusterLog& log, const std::vector<config::Listen>& before,
                       const std::vector<config::Listen>& now, const std::vector<net::Address>& addresses);

// "127.0.0.1:8200 http (TLS with vault.pem until 2027-01-01)" for each, for the page.
[[nodiscard]] std::vector<std::string> listener_texts(const std::vector<config::Listen>& listeners,
                                                      const std::vector<net::Address>& addresses,
                                                      const TlsContexts& contexts);

// Peers refuse such a certificate; it is used all the same, as it may be replaced while the process runs.
void warn_of_invalid_certificates(const log::ClusterLog& log, const TlsContexts& contexts);

}  // namespace bellwether::app
