#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "bellwether/base/ids.h"
#include "bellwether/base/time.h"
#include "bellwether/http/head.h"
#include "bellwether/vault/retry.h"
#include "mount_lookup.h"
#include "send_queue.h"

namespace bellwether::proxy {

class NodeConnections;
class WorkerCore;

// What a request that a node refused may have touched there. A refusal that is proof only where the request's mount
// touches nothing but storage makes the request wait as after any proof, and before it is sent again the new leader is
// asked which mount it is (FACTS.md 3). Part of an exchange.
class MountCheck {
 public:
  // The request as it was sent.
  struct Sent {
    WorkerCore& worker;
    NodeConnections& node_connections;
    MountBook& mounts;
    http::RequestHead& scratch;  // overwritten by any of the calls below: nobody may be reading it
    const SendQueue& queue;
    const std::string& path;
  };
  enum class Outcome : std::uint8_t {
    kMayGo,  // it touched nothing but storage, or was not in question
    kWaits,
    kMayHaveActed,
  };

  // kOutside if nothing tells.
  [[nodiscard]] vault::Effect effect(const Sent& sent);
  // Before its head goes. REQUIRES: sent.queue.can_rewind()
  void note_effect(const Sent& sent);

  // It was refused, and is not to be sent again before its mount is known.
  void begin();
  [[nodiscard]] bool is_under_way() const { return is_under_way_; }
  // Looks whether it may be sent to `target`; asks that node where nothing tells. REQUIRES: sent.queue.can_rewind()
  [[nodiscard]] Outcome look(const Sent& sent, NodeId target, const std::string& preamble);
  void end();

 private:
  [[nodiscard]] Outcome look_at_answer(const Sent& sent, NodeId target);
  [[nodiscard]] Outcome ask(const Sent& sent, NodeId target, const std::string& preamble);
  [[nodiscard]] Outcome settle(vault::Effect effect);

  std::unique_ptr<MountLookup> lookup_;
  TimePoint failed_at_{};  // when the last lookup did
  int lookups_ = 0;
  std::optional<vault::Effect> effect_;  // empty: not looked at yet
  bool is_under_way_ = false;
};

}  // namespace bellwether::proxy
