#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "bellwether/base/ids.h"
#include "bellwether/base/time.h"
#include "bellwether/net/address.h"
#include "bellwether/net/proxy_protocol.h"
#include "proxy/core/end_reason.h"

namespace bellwether::proxy {

class WorkerCore;

// Who the client is and where it reached us. Kept only if somebody will ask: the log, or a PROXY header.
struct Origin {
  net::Address client;
  net::Address destination;
  std::uint16_t listener = 0;
};

// What became of a session.
struct SessionEnd {
  std::optional<NodeId> node;
  Epoch epoch = 0;
  Duration held{};
  Duration connecting{};
  std::uint64_t bytes_up = 0;
  std::uint64_t bytes_down = 0;
  EndReason reason;
};

// What a tcp session tells others about itself: its node in a PROXY header, and the log at its end.
class SessionAccount {
 public:
  SessionAccount(std::unique_ptr<Origin> origin, TimePoint started) : origin_(std::move(origin)), started_(started) {}

  [[nodiscard]] TimePoint started() const { return started_; }
  [[nodiscard]] std::string proxy_header(net::ProxyVersion version) const;
  // No-op if sessions are not logged.
  void log(const WorkerCore& worker, const SessionEnd& end) const;

 private:
  std::unique_ptr<Origin> origin_;
  TimePoint started_;
};

}  // namespace bellwether::proxy
