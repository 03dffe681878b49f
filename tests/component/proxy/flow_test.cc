#include <sys/socket.h>

#include <string>

#include "catch.hpp"
#include "proxy/tcp/relay.h"

namespace bellwether::proxy {
namespace {

// A sender, the channel that reads it, the channel that writes to a receiver, and that receiver. All non-blocking.
struct Fixture {
  Fixture() {
    connect(sender, from.socket);
    connect(to.socket, receiver);
    from.readable = to.writable = true;
  }
  ~Fixture() { flow.release(pool); }
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;

  static void connect(net::Socket& one, net::Socket& other) {
    int fds[2] = {-1, -1};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
    one = net::Socket(fds[0]);
    other = net::Socket(fds[1]);
  }
  Flow::Outcome pump() {
    const Flow::Progress progress = flow.pump(from, to, pool, true);
    moved += progress.bytes;
    return progress.outcome;
  }
  // What has arrived until now; the edges of both sockets are told.
  std::string arrived() {
    std::string all;
    std::string buffer(256 * 1024, '\0');
    while (true) {
      const net::IoResult read = receiver.read(buffer);
      saw_end = saw_end || read.status == net::IoStatus::kEof;
      if (read.status != net::IoStatus::kOk) break;
      all.append(buffer.data(), read.bytes);
    }
    from.readable = to.writable = true;
    return all;
  }
  // As much as the socket takes, of bytes that count up from `first`.
  std::string send_all_it_takes(std::size_t first) {
    std::string bytes(1024 * 1024, '\0');
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>((first + i) % 251);
    bytes.resize(sender.write(bytes).bytes);
    from.readable = true;
    return bytes;
  }

  net::Socket sender, receiver;
  Channel from, to;
  RelayPool pool;
  Flow flow;
  std::size_t moved = 0;
  bool saw_end = false;
};

}  // namespace

TEST_CASE("a flow delivers what comes first, then what was said, then the end", "[proxy][flow]") {
  Fixture it;
  it.flow.deliver_first("PROXY ");
  CHECK(it.sender.write(std::string_view("hello")).bytes == 5);
  CHECK(it.pump() == Flow::Outcome::kWaiting);
  CHECK(it.arrived() == "PROXY hello");
  CHECK(it.flow.bytes() == 11);
  CHECK(it.moved == 11);
  it.sender.shutdown_write();
  CHECK(it.pump() == Flow::Outcome::kEnded);
  CHECK(it.flow.has_ended());
  CHECK(it.arrived().empty());
  CHECK(it.saw_end);
  CHECK(it.pump() == Flow::Outcome::kWaiting);  // and once is enough
}

TEST_CASE("a flow keeps what its receiver does not take, and reads no more meanwhile", "[proxy][flow]") {
  Fixture it;
  it.to.writable = false;
  CHECK(it.sender.write(std::string_view("one")).bytes == 3);
  CHECK(it.pump() == Flow::Outcome::kWaiting);
  CHECK(it.flow.is_blocked());
  CHECK(it.moved == 0);
  CHECK(it.sender.write(std::string_view("two")).bytes == 3);
  it.sender.shutdown_write();
  it.from.readable = it.from.closed = true;
  CHECK(it.pump() == Flow::Outcome::kWaiting);
  CHECK(it.from.has_unread());
  it.to.writable = true;
  CHECK(it.pump() == Flow::Outcome::kEnded);
  CHECK_FALSE(it.flow.is_blocked());
  CHECK(it.arrived() == "onetwo");
  CHECK(it.saw_end);
}

// Long enough for the reads to be big many times in a row, so that pipes are used where they may be.
TEST_CASE("a long flow to a slow receiver arrives whole, by copying and by splicing", "[proxy][flow]") {
  Fixture it;
  const bool splices = GENERATE(true, false);
  if (!splices) it.pool.stop_splicing();
  std::string sent;
  std::string received;
  while (sent.size() < 8 * 1024 * 1024) {
    sent += it.send_all_it_takes(sent.size());
    REQUIRE(it.pump() == Flow::Outcome::kWaiting);
    REQUIRE(it.pump() == Flow::Outcome::kWaiting);
    received += it.arrived();
  }
  it.sender.shutdown_write();
  while (it.pump() != Flow::Outcome::kEnded) received += it.arrived();
  received += it.arrived();
  CHECK(it.saw_end);
  CHECK((received == sent));
  CHECK(it.flow.bytes() == sent.size());
  CHECK(it.moved == sent.size());
}

TEST_CASE("a receiver that is gone is told from a sender that is", "[proxy][flow]") {
  Fixture it;
  SECTION("receiver") {
    it.receiver.close();
    CHECK(it.sender.write(std::string_view("x")).bytes == 1);
    CHECK(it.pump() == Flow::Outcome::kWriteFailed);
  }
  SECTION("receiver, and bytes are kept for it") {
    it.to.writable = false;
    CHECK(it.sender.write(std::string_view("x")).bytes == 1);
    CHECK(it.pump() == Flow::Outcome::kWaiting);
    it.receiver.close();
    it.to.writable = true;
    CHECK(it.pump() == Flow::Outcome::kWriteFailed);
  }
  SECTION("sender, with what was said to it unread") {
    CHECK(it.from.socket.write(std::string_view("x")).bytes == 1);
    it.sender.close();
    CHECK(it.pump() == Flow::Outcome::kReadFailed);
  }
}

}  // namespace bellwether::proxy
