#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "bellwether/base/time.h"
#include "bellwether/net/address.h"
#include "bellwether/net/proxy_protocol.h"
#include "proxy/core/session_record.h"

namespace bellwether::proxy {

// Who the client is and where it reached us. Kept only if somebody will ask: the log, or a PROXY header.
struct Origin {
  net::Address client;
  net::Address destination;
  std::uint16_t listener = 0;
};

// What a tcp session tells others about itself: its node in a PROXY header, and the log at its end.
class SessionAccount {
 public:
  SessionAccount(std::unique_ptr<Origin> origin, TimePoint started) : origin_(std::move(origin)), started_(started) {}

  [[nodiscard]] TimePoint started() const { return started_; }
  [[nodiscard]] std::string proxy_header(net::ProxyVersion version) const;
  // No-op if sessions are not logged.
  void log(const WorkerCore& worker, const SessionSum& sum, EndReason reason) const;

 private:
  std::unique_ptr<Origin> origin_;
  TimePoint started_;
};

}  // namespace bellwether::proxy
