#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "bellwether/base/result.h"
#include "bellwether/net/socket.h"

namespace bellwether::net {

// A text in memory that a process shares with one that it starts: a descriptor without a file (memfd_create(2)). Any
// thread.
class SharedText {
 public:
  // An empty one of our own. kUnavailable if the system has none for us.
  [[nodiscard]] static Result<SharedText> create();
  // Another process's. kInvalid, and the descriptor is left alone, if it is none.
  [[nodiscard]] static Result<SharedText> adopt(int fd);

  [[nodiscard]] int fd() const { return memory_.fd(); }
  // In place of what it was. After an error it is empty.
  [[nodiscard]] Result<void> write(std::string_view text);
  // All of it. kInvalid if it is longer than that.
  [[nodiscard]] Result<std::string> read(std::size_t at_most) const;

 private:
  explicit SharedText(Socket memory) : memory_(std::move(memory)) {}

  Socket memory_;  // owns the descriptor
};

}  // namespace bellwether::net
