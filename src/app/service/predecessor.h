#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "app/report/handover.h"
#include "bellwether/net/loop.h"
#include "bellwether/net/socket.h"
#include "bellwether/net/watch.h"

namespace bellwether::app {

// The process whose place this one takes, if there is one (`bellwether upgrade`): what it hands over when it starts
// this process, and once more when it lets go. A handover that cannot be used is logged and counts as none. Control
// thread.
class Predecessor final : private net::ReadinessHandler {
 public:
  using OnHandover = std::function<void(const Handover&)>;

  explicit Predecessor(net::Loop& loop);
  Predecessor(const Predecessor&) = delete;
  Predecessor& operator=(const Predecessor&) = delete;

  // It serves until say_ready().
  [[nodiscard]] bool is_there() const;
  // What it knew of that cluster when it started this process; null: nothing.
  [[nodiscard]] const ClusterHandover* knowledge_of(std::string_view cluster) const;
  // It may go. `on_handover` is told what it knew at its end, unless it hands over nothing. REQUIRES: is_there()
  void say_ready(OnHandover on_handover);

 private:
  void on_ready(net::Readiness ready) override;
  [[nodiscard]] std::optional<Handover> read() const;

  net::Loop& loop_;
  std::optional<Handover> first_;
  net::Socket line_;  // ends when it has let go
  net::Watch watch_;
  OnHandover on_handover_;
};

}  // namespace bellwether::app
