#include "bellwether/net/resolver.h"

#include <fmt/format.h>
#include <netdb.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <utility>

#include "bellwether/net/background.h"
#include "dns.h"
#include "net/loop/system.h"

namespace bellwether::net {

namespace {

using Answer = Result<NameAnswer>;

std::string why_not(int code, int saved_errno) {
  return code == EAI_SYSTEM ? describe_errno(saved_errno) : ::gai_strerror(code);
}

// nsswitch.conf names a service for hosts that c-ares does not know, such as mdns or ldap.
bool has_other_services() {
  std::ifstream file("/etc/nsswitch.conf");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string word;
    if (!(words >> word) || word != "hosts:") continue;
    while (words >> word) {
      if (word != "files" && word != "dns" && word.front() != '[') return true;
    }
  }
  return false;
}

// Blocks for as long as the system's resolver does.
Answer look_up(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* list = nullptr;
  const int code = ::getaddrinfo(host.c_str(), nullptr, &hints, &list);
  if (code != 0) {
    return fail(ErrorKind::kUnavailable, fmt::format("cannot resolve \"{}\": {}", host, why_not(code, errno)));
  }
  NameAnswer answer;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    answer.add(Address::from(entry->ai_addr, entry->ai_addrlen));
  }
  ::freeaddrinfo(list);
  return answer;
}

std::optional<Address> numeric(const std::string& host, std::uint16_t port) {
  const bool is_v6 = host.find(':') != std::string::npos && host.front() != '[';
  const auto address = Address::parse(fmt::format(fmt::runtime(is_v6 ? "[{}]:{}" : "{}:{}"), host, port));
  if (!address || address->is_unix() || host.empty()) return std::nullopt;
  return *address;
}

// Which a name server may be asked for.
bool is_name(const std::string& host) {
  return !host.empty() && std::all_of(host.begin(), host.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

void NameAnswer::add(const Address& address) {
  if (std::find(addresses.begin(), addresses.end(), address) == addresses.end()) addresses.push_back(address);
}

std::optional<Duration> least_ttl(std::optional<Duration> a, std::optional<Duration> b) {
  return a && b ? std::min(a, b) : (a ? a : b);
}

struct Resolver::Impl : std::enable_shared_from_this<Resolver::Impl> {
  using Key = std::pair<std::string, bool>;  // a name, and whether it is that of a service
  struct Question {
    std::uint16_t port;  // of a host
    OnResolved on_resolved;
  };

  explicit Impl(Loop& l) : loop(l), dns(l), background(l) {}

  void ask(const Key& key, Question question) {
    auto& waiting = questions[key];
    waiting.push_back(std::move(question));
    if (waiting.size() > 1) return;
    const auto on_answer = [this, key](Answer found) { on_dns(key, std::move(found)); };
    if (!is_name(key.first)) {
      loop.post([weak = weak_from_this(), key] {
        if (const auto self = weak.lock()) {
          self->answer(key, fail(ErrorKind::kUnavailable,
                                 fmt::format("cannot resolve \"{}\": it is no name of a host", key.first)));
        }
      });
    } else if (key.second) {
      dns.ask_for_service(key.first, on_answer);
    } else {
      dns.ask_for_host(key.first, on_answer);
    }
  }

  void on_dns(const Key& key, Answer found) {
    const bool is_service = key.second;
    if (found || is_service) return answer(key, found);
    not_found.emplace_back(key.first, std::move(found));
    look_up_next();
  }

  // Names that c-ares has not found may be known to NSS, or to a search domain behind one whose name server has failed.
  void look_up_next() {
    if (not_found.empty() || background.is_busy()) return;
    auto [host, problem] = std::move(not_found.front());
    not_found.pop_front();
    background.run([weak = weak_from_this(), host = std::move(host), problem = std::move(problem)] {
      const bool has_failed = problem.error().kind == ErrorKind::kProtocol;
      const Answer found = has_failed || has_other_services() ? look_up(host) : problem;
      return [weak, host, found] {
        const auto self = weak.lock();  // an answer may be what ends us
        if (!self) return;
        self->answer({host, false}, found);
        self->look_up_next();
      };
    });
  }

  void answer(const Key& key, const Answer& found) {
    auto node = questions.extract(key);
    if (node.empty()) return;
    const bool is_service = key.second;
    for (Question& question : node.mapped()) {
      Answer own = found;
      if (own && !is_service) {
        for (Address& address : own->addresses) address = address.with_port(question.port);
      }
      question.on_resolved(std::move(own));
    }
  }

  Loop& loop;
  std::map<Key, std::vector<Question>> questions;
  Dns dns;
  std::deque<std::pair<std::string, Answer>> not_found;  // by c-ares, and what it said
  Background background;
};

Resolver::Resolver(Loop& loop) : impl_(std::make_shared<Impl>(loop)) {}

Resolver::~Resolver() = default;

void Resolver::resolve(const std::string& host, std::uint16_t port, OnResolved on_resolved) {
  const auto address = numeric(host, port);
  if (!address) return impl_->ask({host, false}, {port, std::move(on_resolved)});
  impl_->loop.post([weak = std::weak_ptr(impl_), address = *address, on_resolved = std::move(on_resolved)] {
    if (weak.lock()) on_resolved(NameAnswer{{address}, std::nullopt});
  });
}

void Resolver::resolve_service(const std::string& name, OnResolved on_resolved) {
  impl_->ask({name, true}, {0, std::move(on_resolved)});
}

}  // namespace bellwether::net
