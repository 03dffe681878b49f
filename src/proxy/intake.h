#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "bellwether/net/loop.h"
#include "bellwether/net/watch.h"
#include "bellwether/wire/idleness.h"
#include "proxy/core/accepted.h"

namespace bellwether::proxy {

// Reads the PROXY header that a listener demands, and not a byte more; what comes without one, too slowly or wrong is
// closed. Owned by one worker.
class Intake {
 public:
  using OnDone = std::function<void(Accepted)>;
  // Bad or late header, or the client left, or it had to make room.
  using OnFailed = std::function<void(const Accepted&)>;

  static constexpr Duration kTimeout = 3s;

  Intake(net::Loop& loop, OnDone on_done, OnFailed on_failed);
  ~Intake();
  Intake(const Intake&) = delete;
  Intake& operator=(const Intake&) = delete;

  void add(Accepted accepted);
  void tick(TimePoint now);
  void collect_idle(std::vector<wire::IdleConnection>& into);
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  class Entry;
  void done(Entry& entry);
  void failed(Entry& entry);
  void retire(Entry& entry);

  net::Loop& loop_;
  OnDone on_done_;
  OnFailed on_failed_;
  std::vector<std::unique_ptr<Entry>> entries_;
  std::vector<std::unique_ptr<Entry>> graveyard_;
};

}  // namespace bellwether::proxy
