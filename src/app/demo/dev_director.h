#pragma once

#include <functional>
#include <optional>
#include <string>

#include "bellwether/base/ids.h"
#include "bellwether/base/time.h"
#include "bellwether/cluster/view.h"
#include "bellwether/net/loop.h"
#include "dev_client.h"

namespace bellwether::app {

// Makes the failovers of `bellwether dev`, one kind after the other, and tells how each one went. On the control loop;
// the cluster runs elsewhere and is reached through `inject`.
class DevDirector {
 public:
  struct Hooks {
    std::function<cluster::ViewPtr()> view;
    std::function<void(int node, std::string fault, Duration argument)> inject;
    std::function<void(const std::string& line)> say;
    std::function<void()> done;  // the asked-for number of failovers is over
  };

  // `every` zero: only watches, for failovers that somebody else makes. `most` zero: without end.
  DevDirector(net::Loop& loop, DevClient& client, Hooks hooks, Duration every, int most);

  void on_refused(const std::string& reason);  // the cluster would not have that fault
  [[nodiscard]] int failures() const { return failures_; }

 private:
  struct Failover {
    std::string text;  // "crash of n2"; empty: somebody else's
    Epoch epoch = 0;   // before it
    TimePoint started{};
    TimePoint routed = kNever;
  };

  void begin();
  void watch();
  void finish(const cluster::View& view);
  void give_up();
  void next();

  net::Loop& loop_;
  DevClient& client_;
  Hooks hooks_;
  Duration every_;
  int most_;
  int made_ = 0;
  int failures_ = 0;
  Epoch epoch_ = 0;
  std::optional<Failover> running_;
  net::Timer begin_;
  net::Timer watch_;
};

}  // namespace bellwether::app
