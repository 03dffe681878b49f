#pragma once

#include "bellwether/base/prng.h"
#include "bellwether/base/time.h"

namespace bellwether::proxy {

inline constexpr Duration kFirstBackoff = 20ms;
inline constexpr Duration kLongestBackoff = 1s;

// How long what a node refused waits before it is sent to that node again: doubles with each sending, and is up to a
// quarter shorter, so that those who were refused together do not come back together. REQUIRES: sends >= 1
[[nodiscard]] Duration backoff(int sends, Prng& prng);

}  // namespace bellwether::proxy
