#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "bellwether/base/time.h"
#include "bellwether/net/loop.h"
#include "bellwether/wire/server.h"
#include "cluster_path.h"
#include "state.h"

namespace bellwether::admin {

// A request for a reading endpoint.
struct PendingRead {
  wire::Server* server = nullptr;
  wire::ExchangeId exchange = 0;
  ClusterPath path;
};

// The requests that wait for a copy of the control thread's state. All that wait share one copy, one is asked for at a
// time, and at most one every kMinStateInterval: what the control thread does for this side does not grow with the
// number of requests. An answer is never older than its request. Admin thread.
class StateFeed {
 public:
  static constexpr Duration kMinStateInterval = 5ms;
  // A control thread that does not answer for that long hangs.
  static constexpr Duration kControlPatience = 5s;

  using AskControl = std::function<void(const Needs& needs)>;  // on_state() follows, if the control thread is alive
  // `state` null: the control thread has not answered within kControlPatience.
  using OnAnswer = std::function<void(const std::vector<PendingRead>& reads, const StatePtr& state)>;

  StateFeed(net::Loop& loop, AskControl ask_control, OnAnswer on_answer);

  void add(PendingRead read);
  void on_gone(const wire::Server& server, wire::ExchangeId exchange);
  void on_state(const StatePtr& state);

 private:
  void ask();
  void on_timer();

  net::Loop& loop_;
  AskControl ask_control_;
  OnAnswer on_answer_;
  net::Timer timer_;
  std::vector<PendingRead> waiting_;  // for the next copy
  std::vector<PendingRead> asked_;    // for the one that was asked for
  bool is_asking_ = false;
  TimePoint asked_at_ = TimePoint::min();
};

}  // namespace bellwether::admin
