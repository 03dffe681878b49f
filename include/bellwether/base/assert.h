#pragma once

namespace bellwether {

// Prints what was broken and aborts. For our own mistakes only: whatever the world does is an Error.
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line) noexcept;

}  // namespace bellwether

// On in release builds too: a balancer that goes on with a broken invariant is worse than one that restarts.
#define BW_ASSERT(expression)                           \
  (static_cast<bool>(expression) ? static_cast<void>(0) \
                                 : ::bellwether::assertion_failed(#expression, __FILE__, __LINE__))
