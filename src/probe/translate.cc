#include "translate.h"

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

}  // namespace bellwether::probe
