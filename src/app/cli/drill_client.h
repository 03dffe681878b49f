#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "app/drill/drill.h"
#include "bellwether/base/time.h"
#include "bellwether/net/loop.h"
#include "bellwether/wire/client.h"

namespace bellwether::app {

// How a drill's requests go to the proxy.
struct DrillTarget {
  wire::Client::Options connection;
  std::string host;   // of the Host field
  std::string token;  // empty: none, and the leader's refusal counts as its answer
};

// An ordinary client of the proxy that asks for something only the leader answers, kPace apart, over connections that
// it keeps. What fails is not asked again, but for what every HTTP client does (RFC 9112 section 9.3.1): where a kept
// connection ends before a byte of the answer, the request goes over a new one. A request that waits does not keep the
// next one back, up to kConnections of them.
class DrillClient {
 public:
  static constexpr Duration kPace = 10ms;
  static constexpr std::size_t kConnections = 64;
  static constexpr std::size_t kMaxAskings = 100'000;

  DrillClient(net::Loop& loop, DrillTarget target);
  ~DrillClient();
  DrillClient(const DrillClient&) = delete;
  DrillClient& operator=(const DrillClient&) = delete;

  // No more requests; those under way go on.
  void stop();
  [[nodiscard]] bool is_busy() const;
  // Those that have ended.
  [[nodiscard]] const std::vector<drill::Asking>& askings() const { return askings_; }

 private:
  using Answer = tl::expected<wire::Reply, wire::ExchangeError>;
  void send();
  void ask(wire::Client& client, TimePoint sent);
  void on_end(TimePoint sent, const Answer& answer);

  net::Loop& loop_;
  DrillTarget target_;
  std::vector<std::unique_ptr<wire::Client>> clients_;
  std::vector<drill::Asking> askings_;
  net::Timer next_;
};

}  // namespace bellwether::app
