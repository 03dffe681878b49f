#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "bellwether/base/result.h"
#include "bellwether/net/shared_text.h"
#include "bellwether/net/socket.h"

namespace bellwether::net {

// A program that is to take this one's place: it is given the listening sockets of this process, so that clients who
// connect are queued for either and refused by none.

inline constexpr const char* kInheritedVariable = "BELLWETHER_INHERITED";  // how many sockets, from descriptor 3 on
inline constexpr const char* kHandoverVariable = "BELLWETHER_HANDOVER";    // the descriptor of a SharedText
inline constexpr const char* kOfUnitsVariable = "BELLWETHER_OF_UNITS";     // "1": systemd's, if it is there
inline constexpr char kSuccessorIsReady = '1';

struct Successor {
  pid_t pid = 0;
  // It says kSuccessorIsReady here once (InheritedSockets::say_ready()); the end without that is its own end.
  Socket word;
};
// Starts `program` with these arguments (the first is its name), this process's environment and standard streams.
// `handover`: what it can read of this process (InheritedSockets::handover()); null: nothing.
// kUnavailable if it cannot be started.
[[nodiscard]] Result<Successor> start_successor(const std::string& program, const std::vector<std::string>& arguments,
                                                const SharedText* handover);

// The file itself, links followed, if it may be started on behalf of somebody who may only give orders to this process:
// it is executable, and nobody but root and our own user may change it or put another one in its place. Else kInvalid.
[[nodiscard]] Result<std::string> check_program(const std::string& program);

// The program and the arguments that this process was started with: the path it was called by, if that was absolute.
// The file may have been replaced by now.
struct OwnCommand {
  std::string program;
  std::vector<std::string> arguments;
};
[[nodiscard]] Result<OwnCommand> own_command();

// True if the child has ended, which is told once. `how`: "exit code 1", "signal 11".
[[nodiscard]] bool has_ended(pid_t child, std::string& how);

}  // namespace bellwether::net
