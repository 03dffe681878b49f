#pragma once

#include "bellwether/base/time.h"

namespace bellwether::cluster {

// The moment of what has not happened yet: earlier than any other, so that comparisons need no case for it.
inline constexpr TimePoint kLongAgo = TimePoint::min();

}  // namespace bellwether::cluster
