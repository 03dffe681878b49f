#include "bellwether/probe/explain.h"

#include <fmt/format.h>

namespace bellwether::probe {

std::optional<cluster::ProbeFailure> probe_failure(wire::ExchangeFailure failure) {
  using wire::ExchangeFailure;
  switch (failure) {
    case ExchangeFailure::kRefused:
      return cluster::ProbeFailure::kRefused;
    case ExchangeFailure::kReset:
      return cluster::ProbeFailure::kReset;
    case ExchangeFailure::kClosed:
      return cluster::ProbeFailure::kClosed;
    case ExchangeFailure::kConnectTimeout:
      return cluster::ProbeFailure::kConnectTimeout;
    case ExchangeFailure::kAnswerTimeout:
      return cluster::ProbeFailure::kAnswerTimeout;
    case ExchangeFailure::kTls:
      return cluster::ProbeFailure::kTls;
    case ExchangeFailure::kUnreachable:
      return cluster::ProbeFailure::kUnreachable;
    case ExchangeFailure::kProtocol:
      return std::nullopt;
  }
  return std::nullopt;
}

std::string message_for(std::string_view host, const std::optional<net::Address>& address, std::string_view message) {
  if (!address) return std::string(message);
  const std::string prefix = address->to_string() + ": ";
  if (message.substr(0, prefix.size()) == prefix) message.remove_prefix(prefix.size());
  const bool is_known = address->host() == host || fmt::format("[{}]", address->host()) == host;
  return is_known ? std::string(message) : fmt::format("{} (at {})", message, address->to_string());
}

}  // namespace bellwether::probe
