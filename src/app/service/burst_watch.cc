#include "burst_watch.h"

#include <algorithm>
#include <utility>

namespace bellwether::app {

void BurstWatch::note(std::size_t in_use) { peak_ = std::max(peak_, in_use); }

bool BurstWatch::is_over(std::size_t in_use) {
  note(in_use);
  const bool is_low = in_use <= peak_ / 2 && peak_ - in_use >= kWorthIt;
  const bool is_over = is_low && was_low_;
  was_low_ = is_low && !is_over;
  if (is_over) peak_ = in_use;
  return is_over;
}

}  // namespace bellwether::app
