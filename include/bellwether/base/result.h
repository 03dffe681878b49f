#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace bellwether {

// What the caller does next decides the kind; the message is for the operator.
enum class ErrorKind {
  kInvalid,      // the input is wrong: tell whoever wrote it
  kUnavailable,  // the other side cannot be reached, or said no: try another, or later
  kTimeout,      // no answer within the deadline
  kClosed,       // the other side ended it
  kProtocol,     // the other side does not speak as agreed: close, never repair
  kLimit,        // a named limit was reached
  kInternal,     // the system refused something it should not refuse
};

struct Error {
  ErrorKind kind = ErrorKind::kInternal;
  std::string message;

  // The same error, seen from one floor up: "reading vault.crt: no such file".
  [[nodiscard]] Error within(std::string_view context) const {
    return Error{kind, std::string(context) + ": " + message};
  }
};

template <typename T>
using Result = tl::expected<T, Error>;

[[nodiscard]] inline tl::unexpected<Error> fail(ErrorKind kind, std::string message) {
  return tl::unexpected<Error>(Error{kind, std::move(message)});
}

}  // namespace bellwether
