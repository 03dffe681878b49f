#include "shut_down.h"

#include <cstdint>
#include <string>

#include "app/process/log.h"

namespace bellwether::app {

ShutDown::ShutDown(net::Loop& control)
    : control_(control),
      delay_timer_(control, [this] { end_when_idle(); }),
      hard_stop_timer_(control, [this] { end_late(); }) {}

void ShutDown::begin(proxy::Proxy& proxy, Times times) {
  proxy_ = &proxy;
  log::info("draining", {{"sessions", static_cast<std::int64_t>(proxy.counts().sessions_now)}});
  hard_stop_timer_.arm_in(times.at_most);
  if (times.at_least == Duration::zero()) return end_when_idle();
  // Sessions end from now on, but the process does not, even if nobody is connected.
  proxy.shut_down({});
  delay_timer_.arm_in(times.at_least);
}

void ShutDown::end_now(std::string_view why) {
  hard_stop_timer_.cancel();
  log::info("ending", {{"why", std::string(why)}});
  control_.stop();
}

void ShutDown::end_when_idle() {
  proxy_->shut_down([this] { end_now("idle"); });
}

void ShutDown::end_late() {
  const proxy::ProxyCounts counts = proxy_->counts();
  if (counts.sessions_now == 0 && counts.held_now == 0) return end_now("idle");
  log::warn("ending", {{"why", std::string("hard_stop_after is over")},
                       {"sessions", static_cast<std::int64_t>(counts.sessions_now)}});
  control_.stop();
}

}  // namespace bellwether::app
