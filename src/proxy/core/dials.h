#pragma once

#include <algorithm>
#include <cstdint>

#include "places.h"

namespace bellwether::proxy {

// Dials of a worker that are under way at once while the hold is released: a new leader is met with a queue, not with a
// storm. Each dial that is answered makes room for one more, so their number doubles with every round trip. Few at
// first: TLS handshakes under way together end together, and the first answer is what ends the failover for its client.
class Dials {
 public:
  static constexpr std::uint64_t kFirst = 2;
  static constexpr std::uint64_t kMost = 64;

  // A dial: from its beginning to the node's first word, or until that is late.
  [[nodiscard]] Counted place() { return Counted(under_way_); }
  [[nodiscard]] bool has_room() const { return under_way_.get() < room_; }
  void make_room() { room_ = std::min(room_ + 1, kMost); }  // one has been answered
  void start_anew() { room_ = kFirst; }                     // nobody leads: the next leader is another one

 private:
  Counter under_way_;
  std::uint64_t room_ = kFirst;
};

}  // namespace bellwether::proxy
