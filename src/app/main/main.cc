#include <csignal>

#include "../commands.h"
#include "bellwether/net/process.h"

int main(int argc, char** argv) {
  bellwether::net::block_signals({SIGTERM, SIGINT, SIGHUP, SIGUSR1});
  return bellwether::app::main_command(argc, argv);
}
