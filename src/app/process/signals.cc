#include "signals.h"

#include <csignal>

#include "bellwether/net/process.h"

namespace bellwether::app {

std::initializer_list<int> run_signals() {
  static constexpr std::initializer_list<int> kAll = {SIGTERM, SIGINT,  SIGQUIT, SIGHUP,
                                                      SIGUSR1, SIGUSR2, SIGALRM, SIGPIPE};
  return kAll;
}

void block_run_signals() { net::block_signals(run_signals()); }

SignalAction action_of(int signal) {
  switch (signal) {
    case SIGTERM:
    case SIGINT:
    case SIGQUIT:
      return SignalAction::kTerminate;
    case SIGHUP:
      return SignalAction::kReload;
    default:
      return SignalAction::kIgnore;
  }
}

}  // namespace bellwether::app
