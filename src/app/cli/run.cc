#include <fmt/format.h>

#include <cstdio>
#include <cstring>
#include <memory>

#include "app/process/log.h"
#include "app/process/signals.h"
#include "app/process/start_error.h"
#include "app/service/service.h"
#include "bellwether/base/visible.h"
#include "bellwether/net/loop.h"
#include "bellwether/net/process.h"
#include "commands.h"

namespace bellwether::app {

namespace {

int failed(const config::Config& config, const Error& error) {
  report_start_error(config.log_format, error.message);
  return kExitFailed;
}

void on_signal(int signal, Service& service) {
  switch (action_of(signal)) {
    case SignalAction::kTerminate:
      return service.terminate();
    case SignalAction::kReload:
      return service.reload();
    case SignalAction::kIgnore:
      return log::warn("signal_ignored", {{"signal", std::string(sigabbrev_np(signal))},
                                          {"why", std::string("TERM, INT and QUIT end the process, HUP reads "
                                                              "configuration and certificates again; the reference "
                                                              "lists all signals")}});
  }
}

// Until the service has ended. The start may wait for names and files; a signal that ends the process ends that too.
int serve(net::Loop& loop, const config::Config& config, const ConfigSource& source) {
  std::unique_ptr<Service> service;
  bool is_told_to_end = false;
  bool is_told_to_reload = false;
  const net::SignalWatch signals(loop, run_signals(), [&](int signal) {
    if (service) return on_signal(signal, *service);
    if (action_of(signal) == SignalAction::kReload) is_told_to_reload = true;
    if (action_of(signal) != SignalAction::kTerminate) return;
    is_told_to_end = true;
    loop.stop();
  });
  auto started = Service::start(loop, config, source);
  if (is_told_to_end) {
    log::info("ending", {{"why", std::string("told to while it started")}});
    return kExitFine;
  }
  if (!started) return failed(config, started.error());
  service = std::move(*started);
  if (is_told_to_reload) service->reload();  // the file may have been read before
  loop.run();
  return kExitFine;
}

}  // namespace

int run_command(const config::Config& config, const ConfigSource& source) {
  block_run_signals();
  if (auto started = log::start(config.log_level, config.log_format); !started) return failed(config, started.error());
  int code = kExitFine;
  if (auto loop = net::Loop::create({.precise_timers = true})) {
    code = serve(**loop, config, source);
  } else {
    code = failed(config, loop.error());
  }
  log::stop();
  return code;
}

}  // namespace bellwether::app
