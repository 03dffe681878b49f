#pragma once

#include <algorithm>
#include <cstddef>

#include "bellwether/base/time.h"

namespace bellwether::net {

// How many TLS records and messages without application data (key updates, tickets, refused renegotiations, empty
// records, warnings) a peer may still send. Libraries that update keys do so after 2^24 records or more, so the
// allowance grows slowly: by one for each 16 KiB of application data and for each second, up to kBurst. A limit on
// such records in a row would not do: one byte of data between them would lift it. Pure.
class TlsOverhead {
 public:
  static constexpr int kBurst = 32;
  static constexpr std::size_t kDataPerRecord = 16 * 1024;
  static constexpr Duration kTimePerRecord = 1s;

  void on_data(std::size_t bytes) {
    data_ += bytes;
    grow(data_ / kDataPerRecord);
    data_ %= kDataPerRecord;
  }
  // `records` more came. False: more than any peer needs.
  [[nodiscard]] bool take(int records, TimePoint now) {
    if (last_ == TimePoint{}) last_ = now;
    const auto earned = static_cast<std::size_t>(std::max(now - last_, Duration::zero()) / kTimePerRecord);
    grow(earned);
    last_ += static_cast<Duration::rep>(earned) * kTimePerRecord;
    allowed_ -= records;
    return allowed_ >= 0;
  }

 private:
  void grow(std::size_t records) {
    allowed_ += static_cast<int>(std::min(records, static_cast<std::size_t>(kBurst)));
    allowed_ = std::min(allowed_, kBurst);
  }

  int allowed_ = kBurst;
  std::size_t data_ = 0;  // received since the last one that it has earned
  TimePoint last_{};      // the time up to which time has earned some
};

}  // namespace bellwether::net
