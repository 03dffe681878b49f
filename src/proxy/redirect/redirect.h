#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "bellwether/base/ids.h"
#include "proxy/exchange/responder.h"

namespace bellwether::proxy {

class WorkerCore;

// Redirect mode on one worker: answers each request with the leader's address.
class Redirector final : public Responder {
 public:
  explicit Redirector(WorkerCore& worker) : worker_(worker) {}
  Redirector(const Redirector&) = delete;
  Redirector& operator=(const Redirector&) = delete;

  [[nodiscard]] Reply respond(const RequestTarget& target, std::uint16_t listener, NodeId leader) override;

 private:
  [[nodiscard]] bool is_loop(const std::string& location, const RequestTarget& target, std::uint16_t listener) const;
  [[nodiscard]] Reply refuse_loop(const std::string& location, std::uint16_t listener, NodeId leader);

  WorkerCore& worker_;
  std::set<NodeId> loops_told_;  // since the epoch began
  Epoch loops_epoch_ = 0;
};

}  // namespace bellwether::proxy
