#include "bellwether/net/listener.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vector>

#include "component/net/stream_pair.h"

using namespace bellwether;
using namespace bellwether::net;
using namespace bellwether::net::testing;

namespace {

struct FileLimit {
  rlimit before{};
  FileLimit() { REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0); }
  ~FileLimit() { ::setrlimit(RLIMIT_NOFILE, &before); }
  FileLimit(const FileLimit&) = delete;
  FileLimit& operator=(const FileLimit&) = delete;
  void set(rlim_t most) const {
    const rlimit limit{most, before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
  }
};

std::string socket_path() { return "/tmp/bw-listener-" + std::to_string(::getpid()) + ".sock"; }

bool exists(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}

}  // namespace

TEST_CASE("a paused listener leaves clients waiting, and takes them when it resumes", "[net]") {
  const auto loop = make_loop();
  int accepted = 0;
  Listener listener(*loop, *bind_listener(*Address::parse("127.0.0.1:0"), {}),
                    [&](const Socket&, const Address&) { ++accepted; });
  listener.pause();
  const auto client = Socket::connect(listener.address(), std::nullopt, {});
  REQUIRE(client);
  CHECK_FALSE(loop->run_until([&] { return accepted > 0; }, 20ms));
  listener.resume();
  CHECK(loop->run_until([&] { return accepted == 1; }, 5s));
}

TEST_CASE("a listener may be paused while it accepts: that connection is the last", "[net]") {
  const auto loop = make_loop();
  int accepted = 0;
  std::optional<Listener> listener;
  listener.emplace(*loop, *bind_listener(*Address::parse("127.0.0.1:0"), {}), [&](const Socket&, const Address&) {
    if (++accepted == 2) listener->pause();
  });
  std::vector<Socket> clients;
  for (int i = 0; i < 5; ++i) clients.push_back(*Socket::connect(listener->address(), std::nullopt, {}));
  CHECK_FALSE(loop->run_until([&] { return accepted > 2; }, 20ms));
  CHECK(accepted == 2);
}

TEST_CASE("what a listener hands down may change while it listens", "[net]") {
  const auto loop = make_loop();
  auto socket = bind_listener(*Address::parse("127.0.0.1:0"), {.tcp = {.keepalive_idle = 30s, .user_timeout = 20s}});
  REQUIRE(socket);
  std::vector<Socket> accepted;
  Listener listener(*loop, std::move(*socket), [&](Socket one, const Address&) { accepted.push_back(std::move(one)); });
  const auto user_timeout = [](const Socket& of) {
    unsigned int value = 0;
    socklen_t size = sizeof value;
    REQUIRE(::getsockopt(of.fd(), IPPROTO_TCP, TCP_USER_TIMEOUT, &value, &size) == 0);
    return value;
  };
  const auto accept_one = [&]() -> const Socket& {
    const std::size_t so_far = accepted.size();
    const auto client = Socket::connect(listener.address(), std::nullopt, {});
    REQUIRE(client);
    REQUIRE(loop->run_until([&] { return accepted.size() == so_far + 1; }, 5s));
    return accepted.back();
  };
  CHECK(user_timeout(accept_one()) == 20'000);
  listener.set_tcp({.keepalive_idle = 30s, .user_timeout = 7s});
  CHECK(user_timeout(accept_one()) == 7'000);
  listener.set_tcp({.keepalive_idle = 30s, .user_timeout = 0s});
  CHECK(user_timeout(accept_one()) == 0);
}

TEST_CASE("out of descriptors the listener waits instead of spinning, and then goes on", "[net]") {
  const FileLimit limit;
  const auto loop = make_loop();
  int accepted = 0;
  Listener listener(*loop, *bind_listener(*Address::parse("127.0.0.1:0"), {}),
                    [&](const Socket&, const Address&) { ++accepted; });
  auto client = Socket::connect(listener.address(), std::nullopt, {});
  REQUIRE(client);
  limit.set(3);  // every further descriptor is refused
  const bool took = loop->run_until([&] { return accepted > 0; }, 250ms);
  limit.set(limit.before.rlim_cur);
  CHECK_FALSE(took);
  CHECK(listener.accept_failures() >= 1);
  CHECK(listener.accept_failures() <= 4);
  CHECK(loop->run_until([&] { return accepted == 1; }, 5s));
}

TEST_CASE("an address in use is refused with the way to see by whom", "[net]") {
  const auto first = bind_listener(*Address::parse("127.0.0.1:0"), {});
  REQUIRE(first);
  const auto second = bind_listener(*first->local_address(), {});
  REQUIRE_FALSE(second);
  CHECK_THAT(second.error().message, CATCH_CONTAINS("address already in use (who has it: ss -ltnp"));
  const auto foreign = bind_listener(*Address::parse("192.0.2.1:0"), {});
  REQUIRE_FALSE(foreign);
  CHECK_THAT(foreign.error().message, CATCH_CONTAINS("no interface of this machine"));
}

TEST_CASE("several workers listen on one address if they ask for it", "[net]") {
  const auto first = bind_listener(*Address::parse("127.0.0.1:0"), {.reuse_port = true});
  REQUIRE(first);
  CHECK(bind_listener(*first->local_address(), {.reuse_port = true}));
}

TEST_CASE("a stale socket file is replaced, a live one is not, and the file goes with its listener", "[net]") {
  const Address address = *Address::parse("unix:" + socket_path());
  { CHECK(bind_listener(address, {})); }  // a dead process leaves the file
  REQUIRE(exists(socket_path()));
  auto socket = bind_listener(address, {.unix_mode = 0600});
  REQUIRE(socket);
  struct stat status {};
  REQUIRE(::stat(socket_path().c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  const auto rival = bind_listener(address, {});
  REQUIRE_FALSE(rival);
  CHECK_THAT(rival.error().message, CATCH_CONTAINS("another process listens on it"));
  const auto loop = make_loop();
  {
    const Listener listener(*loop, std::move(*socket), [](const Socket&, const Address&) {});
  }
  CHECK_FALSE(exists(socket_path()));
}

TEST_CASE("what is not a socket is never removed", "[net]") {
  const std::string path = socket_path() + ".txt";
  const int fd = ::creat(path.c_str(), 0600);
  REQUIRE(fd >= 0);
  ::close(fd);
  CHECK_FALSE(bind_listener(*Address::parse("unix:" + path), {}));
  CHECK(exists(path));
  ::unlink(path.c_str());
}
