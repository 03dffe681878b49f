#pragma once

#include <memory>

#include "bellwether/base/result.h"
#include "bellwether/net/loop.h"

namespace bellwether::net {

struct Readiness {
  bool readable = false;
  bool writable = false;
  // The peer has ended at least its side (EPOLLRDHUP). Not set by a reset, which libevent shows as readable and
  // writable: a short count then may hide one that came right behind the bytes, until the next read or write.
  bool closed = false;
};

// What a Watch calls, on the loop's thread.
class ReadinessHandler {
 public:
  // Edge-triggered: read and write until kAgain or a short count. May close the Watch (and the fd), but must not
  // destroy it beneath the call: destroy at_turn_end.
  virtual void on_ready(Readiness ready) = 0;

 protected:
  ~ReadinessHandler() = default;
};

// One edge-triggered registration for read, write and peer-closed, made once and never toggled.
// Close it before its fd. A closed Watch calls nobody.
class Watch {
 public:
  Watch() = default;
  ~Watch() { close(); }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  [[nodiscard]] Result<void> open(Loop& loop, int fd, ReadinessHandler& handler);
  void close();
  [[nodiscard]] bool is_open() const;
  // Calls the handler in a later turn as if the fd had become ready: for work left over after a per-turn budget.
  void call_again(Readiness ready);

 private:
  struct Impl;
  struct Deleter {
    void operator()(Impl*) const;
  };
  std::unique_ptr<Impl, Deleter> impl_;
};

}  // namespace bellwether::net
