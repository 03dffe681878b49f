#pragma once

#include <cstdint>
#include <string>

#include "bellwether/base/time.h"
#include "bellwether/net/address.h"
#include "bellwether/net/loop.h"
#include "bellwether/wire/client.h"

namespace bellwether::app {

// An ordinary client of the proxy in `bellwether dev`: writes a secret every few milliseconds, each time over a new
// connection, and counts. It never tries a request again.
class DevClient {
 public:
  struct Tally {
    int ok = 0;
    int failed = 0;
    Duration longest{};         // from sending a request to its answer or its failure
    std::string first_failure;  // empty: none
  };

  DevClient(net::Loop& loop, const net::Address& proxy, std::string token);

  [[nodiscard]] Tally take_tally();
  // When the newest request that was answered well had been sent.
  [[nodiscard]] TimePoint last_good_sent() const { return last_good_sent_; }
  void stop();

 private:
  void send();
  void on_reply(const tl::expected<wire::Reply, wire::ExchangeError>& reply);

  net::Loop& loop_;
  std::string token_;
  std::string host_;
  wire::Client client_;
  net::Timer next_;
  TimePoint sent_{};
  TimePoint last_good_sent_{};
  std::uint64_t serial_ = 0;
  bool stopped_ = false;
  Tally tally_;
};

}  // namespace bellwether::app
