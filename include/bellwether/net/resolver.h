#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bellwether/base/result.h"
#include "bellwether/net/address.h"
#include "bellwether/net/loop.h"

namespace bellwether::net {

// Names to addresses by getaddrinfo on a thread of its own, so that NSS, search domains and hosts files count.
// Answers arrive on the loop. One lookup at a time, and one per name: a second question joins the first.
class Resolver {
 public:
  using OnResolved = std::function<void(Result<std::vector<Address>>)>;

  explicit Resolver(Loop& loop);
  // Drops pending callbacks. A lookup that hangs is left behind with its thread (Background).
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // Numeric hosts answer in the next turn without the thread.
  void resolve(const std::string& host, std::uint16_t port, OnResolved on_resolved);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace bellwether::net
