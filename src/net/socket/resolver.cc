#include "bellwether/net/resolver.h"

#include <fmt/format.h>
#include <netdb.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <map>
#include <optional>
#include <utility>

#include "bellwether/net/background.h"
#include "net/loop/system.h"

namespace bellwether::net {

namespace {

using Addresses = Result<std::vector<Address>>;

std::string why_not(int code, int saved_errno) {
  return code == EAI_SYSTEM ? describe_errno(saved_errno) : ::gai_strerror(code);
}

// Blocks for as long as the system's resolver does.
Addresses look_up(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* list = nullptr;
  const int code = ::getaddrinfo(host.c_str(), nullptr, &hints, &list);
  if (code != 0) {
    return fail(ErrorKind::kUnavailable, fmt::format("cannot resolve \"{}\": {}", host, why_not(code, errno)));
  }
  std::vector<Address> found;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    const Address address = Address::from(entry->ai_addr, entry->ai_addrlen);
    if (std::find(found.begin(), found.end(), address) == found.end()) found.push_back(address);
  }
  ::freeaddrinfo(list);
  return found;
}

std::optional<Address> numeric(const std::string& host, std::uint16_t port) {
  const bool is_v6 = host.find(':') != std::string::npos && host.front() != '[';
  const auto address = Address::parse(fmt::format(fmt::runtime(is_v6 ? "[{}]:{}" : "{}:{}"), host, port));
  if (!address || address->is_unix() || host.empty()) return std::nullopt;
  return *address;
}

}  // namespace

struct Resolver::Impl {
  struct Question {
    std::uint16_t port;
    OnResolved on_resolved;
  };

  explicit Impl(Loop& l) : loop(l), background(l) {}

  void look_up_next(const std::weak_ptr<Impl>& self) {
    if (hosts.empty() || background.is_busy()) return;
    std::string host = std::move(hosts.front());
    hosts.pop_front();
    background.run([self, host = std::move(host)]() -> Background::Finish {
      return [self, host, found = look_up(host)] {
        const auto impl = self.lock();  // an answer may be what ends us
        if (!impl) return;
        impl->answer(host, found);
        impl->look_up_next(self);
      };
    });
  }

  void answer(const std::string& host, const Addresses& found) {
    auto node = questions.extract(host);
    if (node.empty()) return;
    for (Question& question : node.mapped()) {
      Addresses with_port = found;
      if (with_port) {
        for (Address& address : *with_port) address = address.with_port(question.port);
      }
      question.on_resolved(std::move(with_port));
    }
  }

  Loop& loop;
  std::map<std::string, std::vector<Question>> questions;
  std::deque<std::string> hosts;
  Background background;
};

Resolver::Resolver(Loop& loop) : impl_(std::make_shared<Impl>(loop)) {}

Resolver::~Resolver() = default;

void Resolver::resolve(const std::string& host, std::uint16_t port, OnResolved on_resolved) {
  const std::weak_ptr<Impl> self = impl_;
  if (const auto address = numeric(host, port)) {
    impl_->loop.post([self, address = *address, on_resolved = std::move(on_resolved)] {
      if (self.lock()) on_resolved(std::vector<Address>{address});
    });
    return;
  }
  auto& waiting = impl_->questions[host];
  waiting.push_back({port, std::move(on_resolved)});
  if (waiting.size() > 1) return;
  impl_->hosts.push_back(host);
  impl_->look_up_next(self);
}

}  // namespace bellwether::net
