#include "dns.h"

#include <ares.h>
#include <arpa/nameser.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "bellwether/base/assert.h"

namespace bellwether::net {
namespace {

// For resolv.conf files that say nothing of it, for which c-ares would wait 5 s before it asks again: over a minute in
// all, and nobody waits that long.
constexpr int kUsualTimeoutMs = 5000, kUsualTries = 4;  // of c-ares
constexpr int kTimeoutMs = 2000, kTries = 3;            // the wait doubles with each try
constexpr std::size_t kMostTargets = 256;               // of a service

// kProtocol: a name server has failed, where c-ares ends the search.
Error cannot_resolve(const std::string& host, int status) {
  const bool is_plain = status == ARES_ENOTFOUND || status == ARES_ENODATA || status == ARES_ETIMEOUT;
  return {is_plain ? ErrorKind::kUnavailable : ErrorKind::kProtocol,
          fmt::format("cannot resolve \"{}\": {}", host, ::ares_strerror(status))};
}

Duration seconds(std::int64_t count) { return std::chrono::seconds(std::max<std::int64_t>(count, 0)); }

NameAnswer read_addresses(const ares_addrinfo& found) {
  NameAnswer answer;
  for (const ares_addrinfo_node* node = found.nodes; node != nullptr; node = node->ai_next) {
    answer.add(Address::from(node->ai_addr, node->ai_addrlen));
    answer.ttl = least_ttl(answer.ttl, seconds(node->ai_ttl));
  }
  for (const ares_addrinfo_cname* name = found.cnames; name != nullptr; name = name->next) {
    answer.ttl = least_ttl(answer.ttl, seconds(name->ttl));
  }
  return answer;
}

// c-ares tells no TTL of SRV records.
std::optional<Duration> ttl_of_records(const unsigned char* message, int length) {
  ns_msg parsed{};
  if (::ns_initparse(message, length, &parsed) != 0) return std::nullopt;
  std::optional<Duration> least;
  for (int i = 0; i < ns_msg_count(parsed, ns_s_an); ++i) {
    ns_rr record{};
    if (::ns_parserr(&parsed, ns_s_an, i, &record) != 0) break;
    least = least_ttl(least, seconds(ns_rr_ttl(record)));
  }
  return least;
}

// The ports of each host.
using Targets = std::map<std::string, std::vector<std::uint16_t>>;

Targets read_targets(const unsigned char* message, int length) {
  ares_srv_reply* records = nullptr;
  Targets targets;
  if (::ares_parse_srv_reply(message, length, &records) != ARES_SUCCESS) return targets;
  for (const ares_srv_reply* record = records; record != nullptr; record = record->next) {
    const std::string host = record->host;
    const bool is_none = host.empty() || host == "." || record->port == 0;  // "decidedly not available", RFC 2782
    if (!is_none && targets.size() < kMostTargets) targets[host].push_back(record->port);
  }
  ::ares_free_data(records);
  return targets;
}

}  // namespace

struct Dns::Impl : std::enable_shared_from_this<Dns::Impl> {
  // A question of c-ares, which has it until it calls back, as it does for each before its channel is gone.
  struct Question {
    Question(Impl& d, std::string h, OnAnswer o) : dns(d), host(std::move(h)), on_answer(std::move(o)) {}

    Impl& dns;
    std::string host;
    OnAnswer on_answer;
  };
  // A socket of c-ares.
  struct Watch {
    Watch(Impl& d, ares_socket_t fd, short what) : dns(d) {
      BW_ASSERT(
          event_assign(&event, d.loop.base(), fd, static_cast<short>(what | EV_PERSIST), &Watch::on_event, this) == 0);
      event_add(&event, nullptr);
    }
    ~Watch() { end(); }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    void end() {
      if (!std::exchange(has_ended, true)) event_del(&event);
    }
    static void on_event(int fd, short what, void* self) {
      Impl& dns = static_cast<Watch*>(self)->dns;
      dns.loop.begin_callback();
      dns.process((what & EV_READ) != 0 ? fd : ARES_SOCKET_BAD, (what & EV_WRITE) != 0 ? fd : ARES_SOCKET_BAD);
    }

    Impl& dns;
    ::event event{};
    bool has_ended = false;
  };
  // The targets of a service, each asked for by itself.
  struct Service {
    std::size_t open = 0;
    NameAnswer answer;
    std::optional<Error> problem;  // of a target
    OnAnswer on_answer;

    void add_target(const Result<NameAnswer>& found, const std::vector<std::uint16_t>& ports) {
      if (found) {
        for (const std::uint16_t port : ports) {
          for (const Address& address : found->addresses) answer.add(address.with_port(port));
        }
        answer.ttl = least_ttl(answer.ttl, found->ttl);
      } else {
        problem = found.error();
      }
      if (--open > 0) return;
      if (answer.addresses.empty()) return on_answer(tl::unexpected(*problem));
      on_answer(std::move(answer));
    }
  };

  explicit Impl(Loop& l) : loop(l), timer(l, [this] { process(ARES_SOCKET_BAD, ARES_SOCKET_BAD); }) {
    static const int initialised = ::ares_library_init(ARES_LIB_INIT_ALL);
    BW_ASSERT(initialised == ARES_SUCCESS);
  }
  ~Impl() { close(); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  [[nodiscard]] int open_with(ares_options options, int mask) {
    options.sock_state_cb = &Impl::on_socket;
    options.sock_state_cb_data = this;
    return ::ares_init_options(&channel, &options, mask | ARES_OPT_SOCK_STATE_CB);
  }
  [[nodiscard]] int open() {
    if (channel != nullptr) return ARES_SUCCESS;
    if (const int status = open_with({}, 0); status != ARES_SUCCESS) return status;
    ares_options read{};
    int mask = 0;
    if (::ares_save_options(channel, &read, &mask) != ARES_SUCCESS) return ARES_SUCCESS;
    const bool is_usual = read.timeout == kUsualTimeoutMs && read.tries == kUsualTries;
    ::ares_destroy_options(&read);
    if (!is_usual) return ARES_SUCCESS;
    ::ares_destroy(std::exchange(channel, nullptr));
    ares_options shorter{};
    shorter.timeout = kTimeoutMs;
    shorter.tries = kTries;
    return open_with(shorter, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES);
  }
  void close() {
    if (channel == nullptr) return;
    ::ares_destroy(std::exchange(channel, nullptr));  // calls back, to nobody
    timer.cancel();
    watches.clear();
  }

  static void on_socket(void* self, ares_socket_t fd, int readable, int writable) {
    Impl& dns = *static_cast<Impl*>(self);
    if (auto gone = dns.watches.extract(fd)) {
      gone.mapped()->end();  // before c-ares closes the socket
      // It may be the one that is calling.
      dns.loop.at_turn_end([watch = std::shared_ptr(std::move(gone.mapped()))] {});
    }
    const auto what = static_cast<short>((readable != 0 ? EV_READ : 0) | (writable != 0 ? EV_WRITE : 0));
    if (what != 0) dns.watches[fd] = std::make_unique<Watch>(dns, fd, what);
  }

  void process(ares_socket_t readable, ares_socket_t writable) {
    if (channel == nullptr) return;
    ::ares_process_fd(channel, readable, writable);
    arm();
  }
  void arm() {
    timeval left{};
    if (::ares_timeout(channel, nullptr, &left) == nullptr) return timer.cancel();
    timer.arm_in(std::chrono::seconds(left.tv_sec) + std::chrono::microseconds(left.tv_usec) + 1ms);
  }

  // c-ares may call back from within a call of ours: who asked is told in a later turn.
  void tell(OnAnswer on_answer, Result<NameAnswer> answer) {
    loop.post([weak = weak_from_this(), on_answer = std::move(on_answer), answer = std::move(answer)]() mutable {
      const auto self = weak.lock();
      if (!self) return;
      on_answer(std::move(answer));
      if (--self->open_questions == 0) self->close();
    });
  }

  template <typename Ask>
  void ask(const std::string& host, OnAnswer on_answer, Ask ask_channel) {
    ++open_questions;
    const int status = open();
    if (status != ARES_SUCCESS) return tell(std::move(on_answer), tl::unexpected(cannot_resolve(host, status)));
    ask_channel(std::make_unique<Question>(*this, host, std::move(on_answer)).release());
    arm();
  }
  void ask_for_host(const std::string& host, OnAnswer on_answer) {
    ask(host, std::move(on_answer), [this](Question* question) {
      ares_addrinfo_hints hints{};
      hints.ai_family = AF_UNSPEC;
      hints.ai_socktype = SOCK_STREAM;
      hints.ai_flags = ARES_AI_NOSORT;
      is_in_call = true;
      ::ares_getaddrinfo(channel, question->host.c_str(), nullptr, &hints, &Impl::on_host, question);
      is_in_call = false;
    });
  }
  void ask_for_service(const std::string& name, OnAnswer on_answer) {
    ask(name, std::move(on_answer), [this](Question* question) {
      ::ares_search(channel, question->host.c_str(), ns_c_in, ns_t_srv, &Impl::on_service, question);
    });
  }

  static void on_host(void* argument, int status, int /*timeouts*/, ares_addrinfo* found) {
    const std::unique_ptr<Question> question(static_cast<Question*>(argument));
    const std::unique_ptr<ares_addrinfo, decltype(&::ares_freeaddrinfo)> owned(found, &::ares_freeaddrinfo);
    if (status == ARES_EDESTRUCTION) return;
    Impl& dns = question->dns;
    if (status != ARES_SUCCESS) {
      return dns.tell(std::move(question->on_answer), tl::unexpected(cannot_resolve(question->host, status)));
    }
    NameAnswer answer = read_addresses(*found);
    if (dns.is_in_call) answer.ttl.reset();  // of the hosts file: no name server answers within the call
    if (!answer.addresses.empty()) return dns.tell(std::move(question->on_answer), std::move(answer));
    dns.tell(std::move(question->on_answer), tl::unexpected(cannot_resolve(question->host, ARES_ENODATA)));
  }

  static void on_service(void* argument, int status, int /*timeouts*/, unsigned char* message, int length) {
    const std::unique_ptr<Question> question(static_cast<Question*>(argument));
    if (status == ARES_EDESTRUCTION) return;
    Impl& dns = question->dns;
    Targets targets;
    if (status == ARES_SUCCESS) targets = read_targets(message, length);
    if (targets.empty()) {
      const int why = status != ARES_SUCCESS ? status : ARES_ENODATA;
      return dns.tell(std::move(question->on_answer), tl::unexpected(cannot_resolve(question->host, why)));
    }
    const auto service = std::make_shared<Service>();
    service->open = targets.size();
    service->answer.ttl = ttl_of_records(message, length);
    service->on_answer = [&dns, on_answer = std::move(question->on_answer)](Result<NameAnswer> answer) {
      dns.tell(on_answer, std::move(answer));
    };
    for (const auto& [host, ports] : targets) {
      // The final dot: what a record names is in no search domain.
      dns.ask_for_host(
          host + ".", [service, ports = ports](const Result<NameAnswer>& found) { service->add_target(found, ports); });
    }
  }

  Loop& loop;
  ares_channel channel = nullptr;
  std::size_t open_questions = 0;  // whose askers have not been told
  bool is_in_call = false;         // of ares_getaddrinfo
  std::map<ares_socket_t, std::unique_ptr<Watch>> watches;
  Timer timer;
};

Dns::Dns(Loop& loop) : impl_(std::make_shared<Impl>(loop)) {}

Dns::~Dns() = default;

void Dns::ask_for_host(const std::string& host, OnAnswer on_answer) { impl_->ask_for_host(host, std::move(on_answer)); }

void Dns::ask_for_service(const std::string& name, OnAnswer on_answer) {
  impl_->ask_for_service(name, std::move(on_answer));
}

}  // namespace bellwether::net
