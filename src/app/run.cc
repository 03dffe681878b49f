#include <fmt/format.h>

#include <csignal>
#include <cstdio>

#include "bellwether/net/loop.h"
#include "bellwether/net/process.h"
#include "commands.h"
#include "log.h"
#include "service.h"

namespace bellwether::app {

namespace {

int failed(const Error& error) {
  fmt::print(stderr, "bellwether: {}\n", error.message);
  return kExitFailed;
}

void on_signal(int signal, Service& service) {
  if (signal == SIGHUP) {
    log::warn("reload_unsupported",
              {{"why", std::string("the configuration file is read at the start only, restart for "
                                   "that; certificates are read again now")}});
    service.reload_certificates();
    return;
  }
  service.terminate();
}

}  // namespace

int run_command(const config::Config& config) {
  // Before any thread is started: they inherit it.
  net::block_signals({SIGTERM, SIGINT, SIGHUP, SIGUSR1});
  if (auto started = log::start(config.log_level, config.log_format); !started) return failed(started.error());
  int code = kExitFine;
  {
    auto loop = net::Loop::create({.precise_timers = true});
    auto service = loop ? Service::start(**loop, config) : tl::unexpected(loop.error());
    if (service) {
      const net::SignalWatch signals(**loop, {SIGTERM, SIGINT, SIGHUP, SIGUSR1},
                                     [&](int signal) { on_signal(signal, **service); });
      (*loop)->run();
      service->reset();
    } else {
      code = failed(service.error());
    }
  }
  log::stop();
  return code;
}

}  // namespace bellwether::app
