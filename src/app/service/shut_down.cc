#include "shut_down.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "app/process/log.h"

namespace bellwether::app {

ShutDown::ShutDown(net::Loop& control)
    : control_(control),
      delay_timer_(control, [this] { end_when_idle(); }),
      hard_stop_timer_(control, [this] { end_late(); }) {}

void ShutDown::begin(std::vector<proxy::Proxy*> proxies, Times times) {
  has_begun_ = true;
  proxies_ = std::move(proxies);
  log::info("draining", {{"sessions", static_cast<std::int64_t>(clients().sessions)}});
  hard_stop_timer_.arm_in(times.at_most);
  if (times.at_least == Duration::zero()) return end_when_idle();
  // Sessions end from now on, but the process does not, even if nobody is connected.
  for (proxy::Proxy* each : proxies_) each->shut_down({});
  delay_timer_.arm_in(times.at_least);
}

void ShutDown::end_now(std::string_view why) {
  hard_stop_timer_.cancel();
  log::info("ending", {{"why", std::string(why)}});
  control_.stop();
}

// A proxy that is idle calls back at once. When the last one is, others may have clients again: all are asked anew.
void ShutDown::end_when_idle() {
  const auto busy = std::make_shared<std::size_t>(proxies_.size());
  const auto is_asking = std::make_shared<bool>(true);
  for (proxy::Proxy* each : proxies_) {
    each->shut_down([this, busy, is_asking] {
      if (--*busy == 0 && !*is_asking) end_when_idle();
    });
  }
  *is_asking = false;
  if (*busy == 0) end_now("idle");
}

ShutDown::Clients ShutDown::clients() const {
  Clients all;
  for (const proxy::Proxy* each : proxies_) {
    const proxy::ProxyCounts counts = each->counts();
    all.sessions += counts.sessions_now;
    all.held += counts.held_now;
  }
  return all;
}

void ShutDown::end_late() {
  const Clients late = clients();
  if (late.sessions == 0 && late.held == 0) return end_now("idle");
  log::warn("ending",
            {{"why", std::string("hard_stop_after is over")}, {"sessions", static_cast<std::int64_t>(late.sessions)}});
  control_.stop();
}

}  // namespace bellwether::app
