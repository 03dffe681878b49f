// The two ends of a proxy measurement, in one small program without libraries, so that what is measured is the proxy.
//
//   load backend PORT...                 simulated nodes: the first port answers as Vault's active node, the others as
//                                        standbys; any other path gets 300 bytes, /bulk/N gets N bytes, /sink takes a
//                                        body first
//   load client PORT MODE CONNS SECONDS [RATE|SIZE]
//        keepalive   each connection always has one request on its way
//        rate        RATE requests per second in all, sent when due whether or not earlier ones were answered
//        churn       a new connection for each request, which asks for its end
//        bulk        answers of SIZE bytes
//        idle        one request on each, then says "ready" and keeps them until its standard input ends
//
// The client prints one JSON object: requests, errors, bytes, seconds, latency in microseconds. Loopback only.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::exit(1);
}

std::uint64_t now_ns() {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(t.tv_nsec);
}

std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

sockaddr_in loopback(std::uint64_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int tcp_socket() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) die("socket");
  const int one = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return fd;
}

void watch(int epoll, int operation, int fd, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  if (::epoll_ctl(epoll, operation, fd, &event) != 0) die("epoll_ctl");
}

std::array<char, 256 * 1024> g_scratch;

// --- backend

struct Served {
  bool active = false;
  bool close_after = false;
  std::string request;
  std::string out;
  std::uint64_t bulk_left = 0;
  std::uint64_t body_left = 0;  // of a request to /sink
};

std::string answer(std::string_view status, std::string_view body, bool close) {
  std::string out = "HTTP/1.1 " + std::string(status) + "\r\nContent-Type: application/json\r\n";
  if (close) out += "Connection: close\r\n";
  return out + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

std::string health(bool active) {
  const std::string standby = active ? "false" : "true";
  return answer(active ? "200 OK" : "429 Too Many Requests",
                R"({"initialized":true,"sealed":false,"standby":)" + standby +
                    R"(,"performance_standby":false,"replication_performance_mode":"disabled",)"
                    R"("replication_dr_mode":"disabled","server_time_utc":1700000000,"version":"2.6.2",)"
                    R"("cluster_name":"bench","cluster_id":"5a1e0000-0000-4000-8000-000000000001"})"
                    "\n",
                false);
}

void serve(Served& c, std::string_view head) {
  const std::size_t from = head.find(' ') + 1;
  const std::string_view path = head.substr(from, head.find(' ', from) - from);
  if (path.starts_with("/v1/sys/health")) {
    c.out += health(c.active);
  } else if (path.starts_with("/v1/sys/leader")) {
    c.out += answer("200 OK", R"({"ha_enabled":true,"is_self":false,"leader_address":""})", false);
  } else if (path.starts_with("/bulk/")) {
    c.bulk_left = number(path.substr(6));
    c.out += "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(c.bulk_left) + "\r\n\r\n";
  } else if (path == "/sink") {
    constexpr std::string_view kLength = "Content-Length: ";
    c.body_left = number(head.substr(head.find(kLength) + kLength.size()));
  } else {
    static const std::string kBody(300, 'x');
    c.close_after = head.find("\r\nConnection: close\r\n") != std::string_view::npos;
    c.out += answer("200 OK", kBody, c.close_after);
  }
}

// False: the connection is over.
bool send_pending(int fd, Served& c) {
  while (!c.out.empty() || c.bulk_left > 0) {
    const char* data = c.out.empty() ? g_scratch.data() : c.out.data();
    const std::size_t size = c.out.empty() ? std::min<std::uint64_t>(c.bulk_left, g_scratch.size()) : c.out.size();
    const ssize_t n = ::send(fd, data, size, MSG_NOSIGNAL);
    if (n < 0) return errno == EAGAIN;
    if (c.out.empty()) {
      c.bulk_left -= static_cast<std::uint64_t>(n);
    } else {
      c.out.erase(0, static_cast<std::size_t>(n));
    }
  }
  return !c.close_after;
}

bool read_requests(int fd, Served& c) {
  std::array<char, 16384> buffer;
  const ssize_t n = ::recv(fd, buffer.data(), buffer.size(), 0);
  if (n == 0 || (n < 0 && errno != EAGAIN)) return false;
  if (n > 0) c.request.append(buffer.data(), static_cast<std::size_t>(n));
  for (;;) {
    if (c.body_left > 0) {
      const std::size_t taken = std::min<std::uint64_t>(c.body_left, c.request.size());
      c.request.erase(0, taken);
      c.body_left -= taken;
      if (c.body_left > 0) return true;
      c.out += answer("200 OK", "taken", false);
    }
    const std::size_t end = c.request.find("\r\n\r\n");
    if (end == std::string::npos) return true;
    serve(c, std::string_view(c.request).substr(0, end));
    c.request.erase(0, end + 4);
  }
}

int run_backend(int count, char** ports) {
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  std::map<int, bool> listeners;  // fd -> is the active node
  for (int i = 0; i < count; ++i) {
    const int fd = tcp_socket();
    const int one = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    const sockaddr_in address = loopback(number(ports[i]));
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) die("bind");
    if (::listen(fd, 4096) != 0) die("listen");
    watch(epoll, EPOLL_CTL_ADD, fd, EPOLLIN);
    listeners[fd] = i == 0;
  }
  std::puts("ready");
  std::fflush(stdout);
  std::vector<std::unique_ptr<Served>> connections;
  std::array<epoll_event, 256> events;
  for (;;) {
    const int n = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < n; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (const auto listener = listeners.find(fd); listener != listeners.end()) {
        const int accepted = ::accept4(fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (accepted < 0) continue;
        if (connections.size() <= static_cast<std::size_t>(accepted)) {
          connections.resize(static_cast<std::size_t>(accepted) + 64);
        }
        connections[static_cast<std::size_t>(accepted)] = std::make_unique<Served>();
        connections[static_cast<std::size_t>(accepted)]->active = listener->second;
        // Edge-triggered for room, read on every wake: one registration for life.
        watch(epoll, EPOLL_CTL_ADD, accepted, EPOLLIN | EPOLLOUT | EPOLLET);
        continue;
      }
      auto& connection = connections[static_cast<std::size_t>(fd)];
      if (connection && (!read_requests(fd, *connection) || !send_pending(fd, *connection))) {
        ::close(fd);
        connection.reset();
      }
    }
  }
}

// --- client

struct Asking {
  bool busy = false;
  std::uint64_t sent_at = 0;
  std::uint64_t received = 0;
  std::string head;  // until its length is known
  std::uint64_t expected = 0;
};

struct Client {
  enum class Mode { kKeepAlive, kRate, kChurn, kBulk, kIdle };
  Mode mode = Mode::kKeepAlive;
  std::uint64_t port = 0;
  std::string request;
  int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  std::vector<Asking> asking;  // by fd
  std::vector<int> idle;
  std::vector<std::uint32_t> latencies_us;
  std::uint64_t requests = 0, errors = 0, bytes = 0, late = 0;

  void open() {
    const int fd = tcp_socket();
    const sockaddr_in address = loopback(port);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 && errno != EINPROGRESS) {
      die("connect");
    }
    if (asking.size() <= static_cast<std::size_t>(fd)) asking.resize(static_cast<std::size_t>(fd) + 64);
    asking[static_cast<std::size_t>(fd)] = Asking{};
    // Level-triggered for the connect only: it is switched off with the first request.
    watch(epoll, EPOLL_CTL_ADD, fd, EPOLLOUT | EPOLLIN);
  }

  void ask(int fd) {
    Asking& a = asking[static_cast<std::size_t>(fd)];
    a = Asking{};
    a.busy = true;
    a.sent_at = now_ns();
    if (::send(fd, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) fail(fd);
  }

  void fail(int fd) {
    ++errors;
    ::close(fd);
    if (errors > 1000) {
      std::fputs("more than 1000 errors\n", stderr);
      std::exit(1);
    }
    open();
  }

  void done(int fd) {
    Asking& a = asking[static_cast<std::size_t>(fd)];
    ++requests;
    latencies_us.push_back(static_cast<std::uint32_t>((now_ns() - a.sent_at) / 1000));
    a.busy = false;
    switch (mode) {
      case Mode::kKeepAlive:
      case Mode::kBulk:
        return ask(fd);
      case Mode::kRate:
      case Mode::kIdle:
        return idle.push_back(fd);
      case Mode::kChurn:
        return;  // its end follows
    }
  }

  void on_event(int fd, std::uint32_t events) {
    Asking& a = asking[static_cast<std::size_t>(fd)];
    if (a.sent_at == 0) {
      if ((events & EPOLLOUT) == 0) return fail(fd);
      watch(epoll, EPOLL_CTL_MOD, fd, EPOLLIN);
      if (mode != Mode::kRate) return ask(fd);
      a.sent_at = 1;
      return idle.push_back(fd);
    }
    const ssize_t n = ::recv(fd, g_scratch.data(), g_scratch.size(), 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) {
      if (mode != Mode::kChurn || a.busy) return fail(fd);
      ::close(fd);
      return open();
    }
    take(fd, std::string_view(g_scratch.data(), static_cast<std::size_t>(n)));
  }

  void take(int fd, std::string_view data) {
    Asking& a = asking[static_cast<std::size_t>(fd)];
    bytes += data.size();
    a.received += data.size();
    if (a.expected == 0) {
      a.head += data;
      const std::size_t end = a.head.find("\r\n\r\n");
      if (end == std::string::npos) return;
      constexpr std::string_view kLength = "Content-Length: ";
      a.expected = end + 4 + number(std::string_view(a.head).substr(a.head.find(kLength) + kLength.size()));
    }
    if (a.received >= a.expected) done(fd);
  }

  void turn(std::uint64_t wait_ns) {
    std::array<epoll_event, 256> events;
    const timespec wait{static_cast<time_t>(wait_ns / 1'000'000'000), static_cast<long>(wait_ns % 1'000'000'000)};
    const int n = ::epoll_pwait2(epoll, events.data(), static_cast<int>(events.size()), &wait, nullptr);
    for (int i = 0; i < n; ++i) {
      on_event(events[static_cast<std::size_t>(i)].data.fd, events[static_cast<std::size_t>(i)].events);
    }
  }

  void send_due(std::uint64_t& due, std::uint64_t gap) {
    for (; due <= now_ns(); due += gap) {
      if (idle.empty()) {
        ++late;
        continue;
      }
      const int fd = idle.back();
      idle.pop_back();
      ask(fd);
    }
  }
};

void report(Client& client, double seconds) {
  auto& all = client.latencies_us;
  std::sort(all.begin(), all.end());
  const auto at = [&](double q) { return all.empty() ? 0 : all[static_cast<std::size_t>(q * double(all.size() - 1))]; };
  std::printf(R"({"requests":%llu,"errors":%llu,"late":%llu,"bytes":%llu,"seconds":%.3f,"p50":%u,"p99":%u})"
              "\n",
              static_cast<unsigned long long>(client.requests), static_cast<unsigned long long>(client.errors),
              static_cast<unsigned long long>(client.late), static_cast<unsigned long long>(client.bytes), seconds,
              at(0.5), at(0.99));
}

int run_client(int argc, char** argv) {
  const std::map<std::string_view, Client::Mode> modes = {{"keepalive", Client::Mode::kKeepAlive},
                                                          {"rate", Client::Mode::kRate},
                                                          {"churn", Client::Mode::kChurn},
                                                          {"bulk", Client::Mode::kBulk},
                                                          {"idle", Client::Mode::kIdle}};
  if (argc < 4 || modes.find(argv[1]) == modes.end()) return 2;
  Client client;
  client.port = number(argv[0]);
  client.mode = modes.at(argv[1]);
  const std::uint64_t connections = number(argv[2]);
  const double seconds = std::atof(argv[3]);
  const std::uint64_t last = argc > 4 ? number(argv[4]) : 0;
  const bool is_bulk = client.mode == Client::Mode::kBulk;
  const std::string path = is_bulk ? "/bulk/" + std::to_string(last) : "/v1/secret/data/app";
  // In http mode the proxy ends the client's connection then, and keeps its own to the node.
  const std::string wish = client.mode == Client::Mode::kChurn ? "Connection: close\r\n" : "";
  client.request = "GET " + path + " HTTP/1.1\r\nHost: vault\r\n" + wish + "X-Vault-Request: true\r\n"
                   "X-Vault-Token: hvs.0123456789012345678901234567890123456789\r\n\r\n";
  for (std::uint64_t i = 0; i < connections; ++i) client.open();

  if (client.mode == Client::Mode::kIdle) {
    while (client.idle.size() < connections) client.turn(1'000'000'000);
    std::puts("ready");
    std::fflush(stdout);
    while (std::getchar() != EOF) continue;
    return 0;
  }
  const std::uint64_t start = now_ns();
  const std::uint64_t end = start + static_cast<std::uint64_t>(seconds * 1e9);
  const std::uint64_t gap = client.mode == Client::Mode::kRate && last > 0 ? 1'000'000'000 / last : 0;
  std::uint64_t due = start + gap;
  for (std::uint64_t now = start; now < end; now = now_ns()) {
    client.turn(gap == 0 ? end - now : std::min(end, std::max(due, now)) - now);
    if (gap != 0) client.send_due(due, gap);
  }
  report(client, static_cast<double>(now_ns() - start) / 1e9);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  const std::string_view verb = argc > 1 ? argv[1] : "";
  if (verb == "backend" && argc > 2) return run_backend(argc - 2, argv + 2);
  const int code = verb == "client" ? run_client(argc - 2, argv + 2) : 2;
  if (code == 2) std::fputs("usage: load backend PORT... | load client PORT MODE CONNS SECONDS [RATE|SIZE]\n", stderr);
  return code;
}
