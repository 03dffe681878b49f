#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "bellwether/base/visible.h"
#include "bellwether/net/background.h"
#include "bellwether/net/loop.h"
#include "bellwether/net/process.h"
#include "commands.h"
#include "log.h"
#include "service.h"
#include "signals.h"
#include "start_error.h"

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
      log::warn("reload_unsupported",
                {{"why", std::string("the configuration file is read at the start only, restart for "
                                     "that; certificates are read again now")}});
      return service.reload_certificates();
    case SignalAction::kIgnore:
      return log::warn("signal_ignored", {{"signal", std::string(sigabbrev_np(signal))},
                                          {"why", std::string("TERM, INT and QUIT end the process, HUP reads the "
                                                              "certificates again; the reference lists all signals")}});
  }
}

}  // namespace

int run_command(const config::Config& config) {
  block_run_signals();
  if (auto started = log::start(config.log_level, config.log_format); !started) return failed(config, started.error());
  int code = kExitFine;
  {
    auto loop = net::Loop::create({.precise_timers = true});
    auto service = loop ? Service::start(**loop, config) : tl::unexpected(loop.error());
    if (service) {
      const net::SignalWatch signals(**loop, run_signals(), [&](int signal) { on_signal(signal, **service); });
      (*loop)->run();
      service->reset();
    } else {
      code = failed(config, service.error());
    }
  }
  log::stop();
  // A thread that hangs in a file system may wake while static objects are destroyed.
  if (net::Background::has_left_any_behind()) ::_exit(code);
  return code;
}

}  // namespace bellwether::app
