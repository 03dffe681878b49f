#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "bellwether/base/result.h"
#include "bellwether/base/time.h"
#include "bellwether/net/loop.h"
#include "bellwether/net/shared_text.h"
#include "bellwether/net/successor.h"
#include "bellwether/net/watch.h"

namespace bellwether::app {

// Starts a program that takes this one's place: with its arguments, environment and listening sockets. Until that says
// that it is ready nothing changes here; one that ends, or is not ready in time, is ended and has changed nothing. One
// at a time. Control thread.
class Upgrade final : private net::ReadinessHandler {
 public:
  using OnDone = std::function<void(const Result<pid_t>&)>;
  using HandOver = std::function<std::string()>;

  explicit Upgrade(net::Loop& loop);
  ~Upgrade();  // a program that is not ready yet is ended
  Upgrade(const Upgrade&) = delete;
  Upgrade& operator=(const Upgrade&) = delete;

  // `program`: an absolute path; empty: the file that this process was started from, as it is now. `hand_over` says
  // what the new program is to know of this process: it is asked when that starts, and again when it is ready.
  // `on_done` is called once, perhaps within the call. kUnavailable while another is under way.
  void begin(const std::string& program, Duration patience, HandOver hand_over, OnDone on_done);
  [[nodiscard]] bool is_under_way() const { return run_.has_value(); }
  // Ends what is under way, which is told why. No-op if nothing is.
  void give_up(const std::string& why);

 private:
  struct Run {
    net::Successor successor;
    std::string program;
    std::optional<net::SharedText> handover;
    HandOver hand_over;
    OnDone on_done;
  };

  void on_ready(net::Readiness ready) override;
  void let_go();
  void on_silence();
  void look_for_end();
  void fail_with(const std::string& why);
  void finish(const Result<pid_t>& outcome);
  void reap();

  net::Loop& loop_;
  std::optional<Run> run_;
  Duration patience_{};
  net::Watch watch_;
  net::Timer patience_timer_;
  net::Timer end_timer_;  // it has hung up: how it has ended is told in a moment
  TimePoint hung_up_{};
  net::Timer reap_timer_;
  std::vector<pid_t> unreaped_;  // were killed
};

}  // namespace bellwether::app
