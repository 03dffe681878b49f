#include "backoff.h"

#include <algorithm>

namespace bellwether::proxy {

Duration backoff(int sends, Prng& prng) {
  Duration longest = kFirstBackoff;
  for (int i = 1; i < sends && longest < kLongestBackoff; ++i) longest *= 2;
  longest = std::min(longest, kLongestBackoff);
  return longest - Duration(static_cast<Duration::rep>(prng.below(static_cast<std::uint64_t>(longest.count() / 4))));
}

}  // namespace bellwether::proxy
