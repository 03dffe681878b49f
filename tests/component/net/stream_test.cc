#include "bellwether/net/stream.h"

#include <unistd.h>

#include "component/net/stream_pair.h"

using namespace bellwether;
using namespace bellwether::net;
using namespace bellwether::net::testing;

namespace {

struct Kind {
  std::string name;
  bool tls;
};

// The same suite over both kinds: past the handshake nobody may tell them apart.
Pair make_pair(const Kind& kind) { return Pair(kind.tls ? server_tls() : nullptr); }

ConnectOptions options_for(const Kind& kind) {
  ConnectOptions options;
  if (kind.tls) options.tls = client_tls();
  options.server_name = "127.0.0.1";
  return options;
}

std::string pattern(std::size_t size) {
  std::string out(size, '\0');
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<char>(i * 31 + i / 977);
  return out;
}

}  // namespace

TEST_CASE("bytes come back as they were sent, however many", "[net]") {
  const auto kind = GENERATE(Kind{"plain", false}, Kind{"tls", true});
  CAPTURE(kind.name);
  auto pair = make_pair(kind);
  pair.server.echo = true;
  const std::string sent = pattern(3'000'017);
  pair.client.to_send = sent;
  pair.client.finish = true;
  pair.connect(options_for(kind));
  REQUIRE(pair.until([&] { return pair.client.over(); }));
  CHECK(pair.client.eof);
  CHECK(pair.client.received == sent);
  CHECK_FALSE(pair.client.broken);
}

TEST_CASE("a slow reader stops the writer, and loses nothing", "[net]") {
  const auto kind = GENERATE(Kind{"plain", false}, Kind{"tls", true});
  CAPTURE(kind.name);
  auto pair = make_pair(kind);
  pair.server.reading = false;
  const std::string sent = pattern(20'000'000);
  pair.client.to_send = sent;
  pair.client.finish = true;
  pair.connect(options_for(kind));
  REQUIRE(pair.both_open());
  CHECK_FALSE(pair.loop->run_until([&] { return pair.client.to_send.empty(); }, 50ms));
  pair.server.reading = true;
  pair.server.on_readable();
  REQUIRE(pair.until([&] { return pair.server.over(); }));
  CHECK(pair.server.eof);
  CHECK(pair.server.received == sent);
}

TEST_CASE("one side may end while the other goes on", "[net]") {
  const auto kind = GENERATE(Kind{"plain", false}, Kind{"tls", true});
  CAPTURE(kind.name);
  auto pair = make_pair(kind);
  pair.client.to_send = "question";
  pair.client.finish = true;
  pair.connect(options_for(kind));
  REQUIRE(pair.until([&] { return pair.server.eof; }));
  CHECK(pair.server.received == "question");
  pair.server.to_send = "answer";
  pair.server.finish = true;
  pair.server.flush();
  REQUIRE(pair.until([&] { return pair.client.eof; }));
  CHECK(pair.client.received == "answer");
}

TEST_CASE("a reset is an error, not an end", "[net]") {
  const auto kind = GENERATE(Kind{"plain", false}, Kind{"tls", true});
  CAPTURE(kind.name);
  auto pair = make_pair(kind);
  pair.connect(options_for(kind));
  REQUIRE(pair.both_open());
  pair.server.stream->abort();
  REQUIRE(pair.until([&] { return pair.client.over(); }));
  CHECK(pair.client.read_error == ECONNRESET);
  CHECK(pair.client.stream->failure() == StreamFailure::kReset);
  CHECK_FALSE(pair.client.stream->is_open());
}

TEST_CASE("a closed stream calls nobody", "[net]") {
  const auto kind = GENERATE(Kind{"plain", false}, Kind{"tls", true});
  CAPTURE(kind.name);
  auto pair = make_pair(kind);
  pair.connect(options_for(kind));
  pair.client.stream->close();
  REQUIRE_FALSE(pair.loop->run_until([&] { return pair.client.opened || pair.client.broken; }, 20ms));
  std::vector<char> buffer(10);
  CHECK(pair.client.stream->read(buffer).status == IoStatus::kError);
}

TEST_CASE("an orderly close is an end for the other side", "[net]") {
  const auto kind = GENERATE(Kind{"plain", false}, Kind{"tls", true});
  CAPTURE(kind.name);
  auto pair = make_pair(kind);
  pair.connect(options_for(kind));
  REQUIRE(pair.both_open());
  pair.server.stream->close();
  REQUIRE(pair.until([&] { return pair.client.over(); }));
  CHECK(pair.client.eof);
}

TEST_CASE("who is refused is told so, and never from within connect", "[net]") {
  const auto loop = make_loop();
  auto socket = bind_listener(*Address::parse("127.0.0.1:0"), {});
  REQUIRE(socket);
  const Address address = *socket->local_address();
  socket->close();
  End end;
  end.stream = Stream::connect(*loop, address, {}, end);
  CHECK_FALSE(end.broken);
  REQUIRE(loop->run_until([&] { return end.broken.has_value(); }, 5s));
  CHECK(end.stream->failure() == StreamFailure::kRefused);
  CHECK(end.broken->kind == ErrorKind::kUnavailable);
  CHECK(end.broken->message == address.to_string() + ": connection refused");
}

TEST_CASE("a unix socket that nobody made is refused", "[net]") {
  const auto loop = make_loop();
  End end;
  end.stream = Stream::connect(*loop, *Address::parse("unix:/nonexistent/bw.sock"), {}, end);
  REQUIRE(loop->run_until([&] { return end.broken.has_value(); }, 5s));
  CHECK(end.stream->failure() == StreamFailure::kRefused);
}

TEST_CASE("a connection that is never answered times out", "[net]") {
  const auto loop = make_loop();
  FullListener full(*loop);
  End end;
  end.stream = Stream::connect(*loop, full.address, {.timeout = 50ms}, end);
  REQUIRE(loop->run_until([&] { return end.broken.has_value(); }, 5s));
  CHECK(end.stream->failure() == StreamFailure::kTimeout);
  CHECK(end.broken->kind == ErrorKind::kTimeout);
  CHECK_THAT(end.broken->message, CATCH_CONTAINS("no connection within 50ms"));
}

TEST_CASE("the preamble goes before everything else", "[net]") {
  Pair pair;
  pair.client.to_send = "hello";
  pair.connect({.preamble = "PROXY UNKNOWN\r\n"});
  REQUIRE(pair.until([&] { return pair.server.received.size() == 20; }));
  CHECK(pair.server.received == "PROXY UNKNOWN\r\nhello");
}

TEST_CASE("a connection can be made from an address of one's choice", "[net]") {
  Pair pair;
  pair.connect({.source = *Address::parse("127.0.0.2:0")});
  REQUIRE(pair.both_open());
  CHECK(pair.server.stream->peer_address()->host() == "127.0.0.2");
}

TEST_CASE("streams go over unix sockets and IPv6 too", "[net]") {
  const std::string path = "/tmp/bw-net-test-" + std::to_string(::getpid()) + ".sock";
  for (const std::string& where : {"unix:" + path, std::string("[::1]:0"), std::string(":0")}) {
    CAPTURE(where);
    Pair pair(nullptr, where);
    pair.server.echo = true;
    pair.client.to_send = "over";
    const Address to = pair.listener->address();
    // The dual-stack listener is dialled by IPv4.
    const Address dial = where == ":0" ? *Address::parse("127.0.0.1:" + std::to_string(to.port())) : to;
    pair.client.stream = Stream::connect(*pair.loop, dial, {}, pair.client);
    REQUIRE(pair.until([&] { return pair.client.received == "over"; }));
    // IPv4 that came through a dual-stack socket is IPv4.
    if (where == ":0") CHECK(pair.server.stream->peer_address()->host() == "127.0.0.1");
  }
}

TEST_CASE("a read that took all there was says so, unless nothing would tell of the rest", "[net]") {
  const auto kind = GENERATE(Kind{"plain", false}, Kind{"tls", true});
  CAPTURE(kind.name);
  auto pair = make_pair(kind);
  pair.server.reading = false;
  pair.connect(options_for(kind));
  REQUIRE(pair.both_open());
  pair.client.to_send = "some words";
  std::vector<char> buffer(100);
  const auto read = [&](std::size_t most) {
    IoResult got;
    REQUIRE(pair.until([&] {
      got = pair.server.stream->read(std::span(buffer).first(most));
      return got.status != IoStatus::kAgain;
    }));
    return got;
  };
  SECTION("not if there may be more") {
    pair.client.flush();
    CHECK(read(4).bytes == 4);
    CHECK_FALSE(pair.server.stream->is_drained());
    CHECK(read(6).bytes == 6);
    CHECK_FALSE(pair.server.stream->is_drained());
  }
  SECTION("a short count, with TLS a record's end only") {
    pair.client.flush();
    CHECK(read(100).bytes == 10);
    CHECK(pair.server.stream->is_drained() == !kind.tls);
    SECTION("until a read says so itself") {
      CHECK(pair.server.stream->read(buffer).status == IoStatus::kAgain);
      CHECK_FALSE(pair.server.stream->is_drained());
    }
    SECTION("until an event tells of more") {
      pair.client.to_send = "and ";
      pair.client.flush();
      REQUIRE(pair.until([&] { return !pair.server.stream->is_drained(); }));
      CHECK(read(100).bytes == 4);
    }
    // What comes next has an event of its own.
    pair.server.reading = true;
    pair.client.to_send = "more";
    pair.client.finish = true;
    pair.client.flush();
    REQUIRE(pair.until([&] { return pair.server.eof; }));
    CHECK(pair.server.received == "more");
  }
  SECTION("not if the peer has ended") {
    pair.client.finish = true;
    pair.client.flush();
    REQUIRE(pair.until([&] { return pair.server.stream->peer_state() != PeerState::kHere; }));
    REQUIRE_FALSE(pair.loop->run_until([] { return false; }, 1ms));  // so that the stream was told
    CHECK(read(100).bytes == 10);
    CHECK_FALSE(pair.server.stream->is_drained());
    CHECK(pair.server.stream->read(buffer).status == IoStatus::kEof);
  }
}

TEST_CASE("that the peer has left is known behind bytes that nobody has read", "[net]") {
  Pair pair;
  pair.server.reading = false;
  pair.connect();
  REQUIRE(pair.both_open());
  CHECK(pair.server.stream->peer_state() == PeerState::kHere);
  pair.client.to_send = "unread";
  pair.client.flush();
  SECTION("by an end") {
    pair.client.stream->close();
    CHECK(pair.until([&] { return pair.server.stream->peer_state() == PeerState::kEnded; }));
  }
  SECTION("by a reset") {
    pair.client.stream->abort();
    CHECK(pair.until([&] { return pair.server.stream->peer_state() == PeerState::kGone; }));
  }
}
