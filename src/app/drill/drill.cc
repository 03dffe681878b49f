#include "drill.h"

#include <algorithm>
#include <utility>

namespace bellwether::app::drill {

Result result_of(std::vector<Asking> askings) {
  Result result;
  std::sort(askings.begin(), askings.end(), [](const Asking& a, const Asking& b) { return a.ended < b.ended; });
  const Asking* last_good = nullptr;
  for (const Asking& each : askings) {
    ++result.asked;
    if (!each.failure.empty()) {
      ++result.failed;
      const bool is_known = result.failures.count(each.failure) != 0;
      if (is_known || result.failures.size() < kMaxFailures) ++result.failures[each.failure];
      continue;
    }
    result.longest_wait = std::max(result.longest_wait, each.ended - each.sent);
    const TimePoint before = last_good != nullptr ? last_good->ended : each.ended;
    if (each.ended - before > result.longest_silence) {
      result.longest_silence = each.ended - before;
      result.silent_since = before;
    }
    last_good = &each;
  }
  return result;
}

}  // namespace bellwether::app::drill
