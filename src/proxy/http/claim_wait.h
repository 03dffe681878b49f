#pragma once

#include <string_view>

#include "bellwether/base/time.h"
#include "bellwether/http/head.h"
#include "proxy/core/hold.h"
#include "proxy/exchange/exchange.h"

namespace bellwether::proxy {

class Delivery;
class WorkerCore;

// An answer that waits for a claim, unread, in the node's connection and in our buffer. A node that was demoted a
// moment ago, unknown to us, may answer reads itself, out of date (FACTS.md 2). Where that must not be, the answer
// waits until the node has claimed to lead when it was asked after the answer had come.
class ClaimWait final : public WaitLink {
 public:
  // `delivery`: whose answer waits.
  ClaimWait(WorkerCore& worker, Exchange& exchange, Delivery& delivery)
      : worker_(worker), exchange_(exchange), delivery_(delivery) {}

  // Whether the answer must be confirmed before the client gets it. `is_fresh`: its listener is set so.
  [[nodiscard]] bool is_needed(const http::ResponseHead& head, bool is_fresh) const;
  // Joins those that wait. False: it waits in vain, for its node leads no more in the epoch in which it was asked.
  [[nodiscard]] bool begin(WaitQueue& waiting);
  void end(WaitQueue& waiting);  // no-op if it does not wait
  [[nodiscard]] bool is_under_way() const { return is_queued(); }
  // When the answer came.
  [[nodiscard]] TimePoint since() const { return exchange_.attempt.answered_at; }
  // Whether the node that answered leads still, in the epoch in which it was asked.
  [[nodiscard]] bool is_of_leader() const;
  [[nodiscard]] Delivery& delivery() { return delivery_; }

 private:
  WorkerCore& worker_;
  Exchange& exchange_;
  Delivery& delivery_;
};

}  // namespace bellwether::proxy
