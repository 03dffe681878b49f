#pragma once

#include <cstdint>

#include "bellwether/base/time.h"
#include "proxy/core/places.h"

namespace bellwether::proxy {

class WorkerCore;

// How a tcp session comes to a node: the places that it takes of its worker while it is held and while it is dialled,
// how long both have taken in all, and when a dial that has failed may be repeated. Its session owns the sockets.
class Dialling {
 public:
  // Takes a place in the hold. False: there is none.
  [[nodiscard]] bool hold(WorkerCore& worker);
  void end_hold() { add_held(hold_place_.end()); }
  [[nodiscard]] bool was_held() const { return was_held_; }  // it has had a place before

  // Under the view at hand; takes a place among the dials.
  void begin(WorkerCore& worker);
  void end(TimePoint now);  // it connects no more, whatever came of it
  // The node gets it again only under a newer view, or later.
  void set_failed(bool has_failed) { has_failed_ = has_failed; }
  [[nodiscard]] bool may_begin(const WorkerCore& worker) const;
  [[nodiscard]] TimePoint begun_at() const { return begun_at_; }

  // A dial is answered by the node's first word, for the kernel takes connections faster than the node answers them:
  // from the client's first words until then the session takes a place among the dials again.
  void await_answer(WorkerCore& worker);
  [[nodiscard]] bool takes_place() const { return static_cast<bool>(place_); }
  void give_place_back() { place_.reset(); }

  void add_held(Duration held) { held_ += held; }
  [[nodiscard]] Duration held() const { return held_; }
  [[nodiscard]] Duration connecting() const { return connecting_; }

 private:
  HoldPlace hold_place_;
  Counted place_;
  TimePoint begun_at_{};
  std::uint64_t serial_ = 0;  // of the view under which it was dialled last
  Duration held_{};
  Duration connecting_{};
  bool was_held_ = false;
  bool has_failed_ = false;  // the dial under serial_
};

}  // namespace bellwether::proxy
