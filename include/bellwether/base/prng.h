#pragma once

#include <cstdint>
#include <random>

#include "bellwether/base/time.h"

namespace bellwether {

// Random numbers whose seed the owner knows and logs; the same seed gives the same run on every machine.
// A value type: whoever decides owns one. Not for secrets.
class Prng {
 public:
  explicit Prng(std::uint64_t seed) : engine_(seed) {}

  [[nodiscard]] std::uint64_t next() { return engine_(); }
  // Uniform in [0, bound); bound > 0. The bias of the modulo is below 2^-32 for every bound used here.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return engine_() % bound; }
  [[nodiscard]] bool chance(double probability) {
    return static_cast<double>(engine_() >> 11) * 0x1.0p-53 < probability;
  }
  // d * (1 +- fraction), uniformly: how probe intervals get their jitter.
  [[nodiscard]] Duration jitter(Duration d, double fraction) {
    const double unit = static_cast<double>(engine_() >> 11) * 0x1.0p-53;  // [0, 1)
    return Duration(static_cast<Duration::rep>(static_cast<double>(d.count()) * (1.0 + fraction * (2.0 * unit - 1.0))));
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace bellwether
