#include "component/net/raw_tls.h"

using namespace bellwether;
using namespace bellwether::net;
using namespace bellwether::net::testing;

namespace {

// A TLS server of ours and a client by hand, or the other way round. `ours` reads what comes; a timer on the same loop
// notes how long it was kept waiting.
struct Against {
  explicit Against(std::function<void(RawTls&)> script, int version = TLS1_3_VERSION)
      : loop(make_loop()), pulse(*loop, [this] { beat(); }) {
    listener.emplace(*loop, bind_listener(*Address::parse("127.0.0.1:0"), {}).value(),
                     [this](Socket accepted, const Address&) {
                       ours.stream = Stream::accept(*loop, std::move(accepted), server_tls(), 20s, ours);
                     });
    Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const Address to = listener->address();
    REQUIRE(::connect(socket.fd(), to.data(), to.length()) == 0);
    raw = std::make_unique<RawTls>(RawTls::Side::kClient, socket.release(), std::move(script), version);
    beat();
  }

  void beat() {
    const TimePoint now = loop->precise_now();
    if (last != TimePoint{}) worst = std::max(worst, now - last);
    last = now;
    pulse.arm_in(1ms);
  }
  bool until(const std::function<bool()>& done) { return loop->run_until(done, 60s); }

  std::unique_ptr<Loop> loop;
  End ours;
  std::optional<Listener> listener;
  Timer pulse;
  TimePoint last{};
  Duration worst{};
  std::unique_ptr<RawTls> raw;
};

void expect_flood_ended(Against& it) {
  REQUIRE(it.until([&] { return it.ours.over(); }));
  REQUIRE(it.ours.read_error);
  CHECK(it.ours.stream->failure() == StreamFailure::kTls);
  CHECK_THAT(it.ours.stream->error().message, CATCH_CONTAINS("too many TLS records without data"));
}

}  // namespace

TEST_CASE("a flood of key updates ends the connection and keeps nobody waiting", "[net][tls][flood]") {
  Against it([](RawTls& peer) {
    if (!peer.handshake()) return;
    peer.send(peer.prepare([](SSL* ssl) {
      for (int i = 0; i < 20000; ++i) RawTls::update_keys(ssl);
    }));
  });
  expect_flood_ended(it);
  CHECK(it.worst < 1s);
}

TEST_CASE("key updates with a byte of data between them are a flood too", "[net][tls][flood]") {
  Against it([](RawTls& peer) {
    if (!peer.handshake()) return;
    peer.send(peer.prepare([](SSL* ssl) {
      for (int i = 0; i < 5000; ++i) {
        RawTls::update_keys(ssl);
        SSL_write(ssl, "x", 1);
      }
    }));
  });
  expect_flood_ended(it);
  CHECK(it.ours.received.size() < 100);
}

TEST_CASE("a client that updates its keys as often as any has reason to is served", "[net][tls][flood]") {
  const std::string block(16 * 1024, 'd');
  std::size_t blocks = 200;
  Against it([&](RawTls& peer) {
    if (!peer.handshake()) return;
    for (std::size_t i = 0; i < blocks; ++i) {
      peer.send(peer.prepare([&](SSL* ssl) {
        RawTls::update_keys(ssl);
        SSL_write(ssl, block.data(), static_cast<int>(block.size()));
      }));
    }
    peer.wait_for_end();
  });
  CHECK(it.until([&] { return it.ours.received.size() == blocks * block.size(); }));
  CHECK_FALSE(it.ours.over());
}

TEST_CASE("data behind a few key updates is read without another event", "[net][tls][flood]") {
  Against it([](RawTls& peer) {
    if (!peer.handshake()) return;
    peer.send(peer.prepare([](SSL* ssl) {
      for (int i = 0; i < 20; ++i) RawTls::update_keys(ssl);
      SSL_write(ssl, "here", 4);
    }));
    peer.wait_for_end();
  });
  CHECK(it.until([&] { return it.ours.received == "here"; }));
}

TEST_CASE("records of one byte are read whole, in many turns", "[net][tls][flood]") {
  Against it([](RawTls& peer) {
    if (!peer.handshake()) return;
    peer.send(peer.prepare([](SSL* ssl) {
      for (int i = 0; i < 5000; ++i) SSL_write(ssl, "x", 1);
    }));
    peer.wait_for_end();
  });
  CHECK(it.until([&] { return it.ours.received.size() == 5000; }));
}

TEST_CASE("a node that floods with messages that hold no data is left", "[net][tls][flood]") {
  struct Flood {
    int version;
    void (*send_one)(SSL* ssl);
  };
  const Flood flood = GENERATE(Flood{TLS1_3_VERSION, &RawTls::update_keys}, Flood{TLS1_3_VERSION, &RawTls::give_ticket},
                               Flood{TLS1_2_VERSION, &RawTls::ask_to_renegotiate});
  auto loop = make_loop();
  std::unique_ptr<RawTls> node;
  const auto script = [flood](RawTls& peer) {
    if (!peer.handshake()) return;
    peer.send(peer.prepare([flood](SSL* ssl) {
      for (int i = 0; i < 5000; ++i) flood.send_one(ssl);
    }));
    peer.wait_for_end();
  };
  Listener listener(*loop, bind_listener(*Address::parse("127.0.0.1:0"), {}).value(),
                    [&](Socket accepted, const Address&) {
                      node = std::make_unique<RawTls>(RawTls::Side::kServer, accepted.release(), script, flood.version);
                    });
  End client;
  client.stream = Stream::connect(*loop, listener.address(), {.tls = client_tls(), .server_name = "localhost"}, client);
  REQUIRE(loop->run_until([&] { return client.over(); }, 60s));
  REQUIRE(client.read_error);
  CHECK_THAT(client.stream->error().message, CATCH_CONTAINS("too many TLS records without data"));
}

TEST_CASE("a hello in records of one byte is understood, and one without end is not waited for", "[net][tls][flood]") {
  const auto in_small_records = [](std::string_view message) {
    std::string out;
    for (const char byte : message) out += std::string("\x16\x03\x01\x00\x01", 5) + byte;
    return out;
  };
  SECTION("a real one") {
    Against it([&](RawTls& peer) {
      const std::string hello = peer.prepare([](SSL* ssl) { SSL_do_handshake(ssl); });
      peer.send(in_small_records(std::string_view(hello).substr(5)));
      peer.wait_for_end();
    });
    // The hand-made client cannot go on, for its answers stay in memory; that ours answered shows that it understood.
    CHECK(it.until([&] { return it.raw->heard(); }));
  }
  SECTION("of 100 KB") {
    Against it([&](RawTls& peer) {
      std::string hello("\x01\x01\x80\x00\x03\x03", 6);
      hello.append(0x18000, 'x');
      peer.send(in_small_records(hello));
      peer.wait_for_end();
    });
    REQUIRE(it.until([&] { return it.ours.broken.has_value(); }));
    CHECK_THAT(it.ours.broken->message, CATCH_CONTAINS("too many TLS records"));
    CHECK(it.ours.stream->handshake_failure() == HandshakeFailure::kProtocol);
  }
}

// The node may have acted on the first record when the next one fails.
TEST_CASE("what the peer was given is told even if the same write then fails", "[net][tls]") {
  auto loop = make_loop();
  std::unique_ptr<RawTls> node;
  Listener listener(*loop, bind_listener(*Address::parse("127.0.0.1:0"), {}).value(),
                    [&](Socket accepted, const Address&) {
                      node = std::make_unique<RawTls>(RawTls::Side::kServer, accepted.release(), [](RawTls& peer) {
                        if (peer.handshake() && !peer.hear().empty()) peer.reset();
                      });
                    });
  const std::string request(8 * 1024 * 1024, 'r');
  // How far a write gets before the reset comes is chance: it is one call's write that must fail half-way.
  bool was_cut_half_way = false;
  for (int attempt = 0; attempt < 200 && !was_cut_half_way; ++attempt) {
    End client;
    client.stream =
        Stream::connect(*loop, listener.address(), {.tls = client_tls(), .server_name = "localhost"}, client);
    REQUIRE(loop->run_until([&] { return client.opened; }, 20s));
    IoResult wrote{};
    while (wrote.status != IoStatus::kError) wrote = client.stream->write(request);
    was_cut_half_way = wrote.bytes > 0;
  }
  CHECK(was_cut_half_way);
}
