#include <unistd.h>

#include <csignal>
#include <cstdio>

#include "app/cli/commands.h"
#include "bellwether/net/background.h"
#include "bellwether/net/inherited.h"
#include "bellwether/net/process.h"

int main(int argc, char** argv) {
  bellwether::net::block_signals({SIGTERM, SIGINT, SIGHUP, SIGUSR1});
  bellwether::net::InheritedSockets::process().take_over();
  const int code = bellwether::app::main_command(argc, argv);
  if (bellwether::net::Background::has_left_any_behind()) {
    // A thread that hangs in a file system or a name lookup may wake while static objects are destroyed.
    // It may also hold the lock of the stream that it reads: only ours are flushed.
    (void)std::fflush(stdout);
    (void)std::fflush(stderr);
    ::_exit(code);
  }
  return code;
}
