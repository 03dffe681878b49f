#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bellwether/base/result.h"
#include "bellwether/base/time.h"
#include "bellwether/net/address.h"
#include "bellwether/net/loop.h"

namespace bellwether::net {

// What a name stands for, each address once, and how long its name servers say that this may be believed: the least
// TTL on the way, CNAMEs and SRV records included. No TTL for what is not from a name server (numeric, hosts file,
// NSS).
struct NameAnswer {
  std::vector<Address> addresses;  // at least one
  std::optional<Duration> ttl;

  void add(const Address& address);  // unless it is there
};
// Of two things that are believed together.
[[nodiscard]] std::optional<Duration> least_ttl(std::optional<Duration> a, std::optional<Duration> b);

// Names to addresses, by the hosts file and the name servers of /etc/resolv.conf, with its search domains, in the order
// of nsswitch.conf (c-ares). Those files are read anew when questions begin. A name that is not found so is asked for
// with getaddrinfo, on a thread of its own, if nsswitch.conf names another service than files and dns, or if a name
// server has failed (SERVFAIL), where c-ares would end the search. Questions run side by side on the loop, and answers
// arrive on it, never within the call; a second question about the same name joins the first. A silent name server is
// given up as resolv.conf says, else after 14 s.
class Resolver {
 public:
  using OnResolved = std::function<void(Result<NameAnswer>)>;

  explicit Resolver(Loop& loop);
  // Drops pending callbacks. A getaddrinfo that hangs is left behind with its thread (Background).
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // Both families. A numeric host answers in the next turn.
  void resolve(const std::string& host, std::uint16_t port, OnResolved on_resolved);
  // The targets of the SRV records of `name` ("_vault._tcp.example.org", RFC 2782), each address with the port of its
  // record. Priorities and weights say nothing about who leads, and are not used.
  void resolve_service(const std::string& name, OnResolved on_resolved);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace bellwether::net
