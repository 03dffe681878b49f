#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "bellwether/base/time.h"
#include "bellwether/http/head.h"
#include "exchange.h"
#include "proxy/core/session_record.h"

namespace bellwether::proxy {

struct HttpCounters;
class WorkerCore;

// What becomes of a request: counted once, under exactly one outcome, and told to the log once. Of one exchange,
// request after request; its figures are kept there.
class RequestAccount {
 public:
  RequestAccount(WorkerCore& worker, Exchange& exchange) : worker_(worker), exchange_(exchange) {}
  RequestAccount(const RequestAccount&) = delete;
  RequestAccount& operator=(const RequestAccount&) = delete;

  // Before all that follows: of the connection whose exchange it is. `counters`: where its requests are counted.
  void bind(SessionSum& sum, HttpCounters& counters) {
    sum_ = &sum;
    http_ = &counters;
  }
  [[nodiscard]] SessionSum& sum() { return *sum_; }

  void open();
  // It has its outcome; a no-op if it had one. `status`: what the client was told; 0: nothing.
  void settle(Outcome outcome, int status, EndReason reason);
  // As above, with what happened. It gives the request its id, which the client's answer names.
  void fail(Outcome outcome, int status, std::string_view why, EndReason reason);
  // The connection ends before the request has an outcome: who left, or whether we did, decides what to call it.
  void settle_unfinished(EndReason reason);
  void reject(http::Reject reason, int status, EndReason end);
  // A valid request that a Responder does not answer as asked. `why`: static text, for the access log.
  void refuse(std::string_view why, int status);
  // No request was made, so none is counted; but it was answered, and the log says so.
  void note_late_head(TimePoint since, int status);
  void count_up(std::size_t bytes);
  void count_down(std::size_t bytes);
  // To the log, if that is owed. `listener` and `client`: of the connection.
  void tell(std::uint16_t listener, std::string_view client);

 private:
  void count_status(int status);

  WorkerCore& worker_;
  Exchange& exchange_;
  SessionSum* sum_ = nullptr;
  HttpCounters* http_ = nullptr;
};

}  // namespace bellwether::proxy
