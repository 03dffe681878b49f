#include "bellwether/wire/client.h"

#include "component/wire/server_house.h"

using namespace bellwether;
using namespace bellwether::wire;
using namespace bellwether::wire::testing;
using net::testing::Pair;

namespace {

using Outcome = tl::expected<Reply, ExchangeError>;

// A Client and what its one request came to, against a peer that the test plays by hand.
struct Asking {
  explicit Asking(Pair& p, Client::Options options = {}) : pair(p), client(*p.loop, filled(p, std::move(options))) {
    client.set_on_idle_end([this](ExchangeFailure failure) { idle_end = failure; });
  }
  static Client::Options filled(const Pair& pair, Client::Options options) {
    options.address = pair.listener->address();
    return options;
  }
  void send(const std::string& target = "/", std::string_view method = "GET") {
    outcome.reset();
    client.send(get(target), method, [this](Outcome result) { outcome = std::move(result); });
  }
  // Sends, and lets the peer say `answer` once it has the request; it ends its side then if it is to `finish`.
  void ask(const std::string& answer, std::string_view method = "GET") {
    send("/", method);
    REQUIRE(pair.until([&] { return count(pair.server.received, "\r\n\r\n") == 1; }));
    pair.server.received.clear();
    pair.server.to_send = answer;
    pair.server.finish = finish;
    pair.server.flush();
  }
  const Outcome& result() {
    REQUIRE(pair.until([&] { return outcome.has_value(); }));
    return *outcome;
  }
  const Reply& reply() {
    if (!result()) FAIL(result().error().message);
    return **outcome;
  }
  void check_failure(ExchangeFailure failure, const std::string& message) {
    REQUIRE_FALSE(result());
    CHECK(static_cast<int>(result().error().failure) == static_cast<int>(failure));
    CHECK_THAT(result().error().message, CATCH_CONTAINS(message));
    CHECK_FALSE(client.is_busy());
    CHECK_FALSE(client.is_connected());
  }

  Pair& pair;
  Client client;
  bool finish = false;
  std::optional<Outcome> outcome;
  std::optional<ExchangeFailure> idle_end;
};

}  // namespace

TEST_CASE("requests go over one kept connection, plain and TLS", "[wire]") {
  const bool tls = GENERATE(false, true);
  Server::Options options;
  if (tls) options.tls = net::testing::server_tls();
  ServerHouse house(options);
  house.echo_targets();
  Client client(*house.loop, house.client_options(tls ? net::testing::client_tls() : nullptr));
  for (int i = 0; i < 3; ++i) {
    std::optional<Outcome> outcome;
    const TimePoint before = house.loop->precise_now();
    client.send(get("/" + std::to_string(i)), "GET", [&](Outcome result) { outcome = std::move(result); });
    CHECK(client.is_busy());
    REQUIRE(house.until([&] { return outcome.has_value(); }));
    REQUIRE(*outcome);
    CHECK((*outcome)->status == 200);
    CHECK((*outcome)->body == "/" + std::to_string(i));
    CHECK((*outcome)->reused == (i > 0));
    CHECK((*outcome)->sent >= before);
    CHECK((*outcome)->received >= (*outcome)->sent);
    CHECK(client.is_connected());
  }
  CHECK(house.server->connections() == 1);
}

TEST_CASE("the next request may be sent from within the answer", "[wire]") {
  ServerHouse house;
  house.echo_targets();
  Client client(*house.loop, house.client_options());
  int answers = 0;
  std::function<void()> ask = [&] {
    client.send(get("/"), "GET", [&](Outcome result) {
      REQUIRE(result);
      if (++answers < 100) ask();
    });
  };
  ask();
  REQUIRE(house.until([&] { return answers == 100; }));
  CHECK(house.server->connections() == 1);
}

TEST_CASE("an answer's body may be chunked, counted or last until the end", "[wire]") {
  Pair pair;
  Asking asking(pair);
  SECTION("chunked") {
    asking.ask("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
    CHECK(asking.reply().body == "abc");
    CHECK(asking.client.is_connected());
  }
  SECTION("counted") {
    asking.ask("HTTP/1.1 429 X\r\nContent-Length: 3\r\nX-A: b\r\n\r\nabc");
    CHECK(asking.reply().body == "abc");
    CHECK(asking.reply().status == 429);
    CHECK(asking.client.is_connected());
  }
  SECTION("until the end") {
    asking.finish = true;
    asking.ask("HTTP/1.1 200 OK\r\n\r\nabc");
    CHECK(asking.reply().body == "abc");
    CHECK_FALSE(asking.client.is_connected());
    CHECK_FALSE(asking.idle_end);
  }
  SECTION("none, to HEAD") {
    asking.ask("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", "HEAD");
    CHECK(asking.reply().body.empty());
    CHECK(asking.client.is_connected());
  }
  SECTION("after interim answers") {
    asking.ask(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 X\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na");
    CHECK(asking.reply().body == "a");
  }
}

TEST_CASE("an answer may arrive byte by byte", "[wire]") {
  Pair pair;
  Asking asking(pair);
  asking.ask("");
  for (char c : std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n")) {
    CHECK_FALSE(asking.outcome);
    pair.server.to_send = std::string(1, c);
    pair.server.flush();
    pair.loop->run_until([] { return false; }, 1ms);
  }
  CHECK(asking.reply().body == "abc");
}

TEST_CASE("an answer that is cut off is an error, never an answer", "[wire]") {
  const std::string cut =
      GENERATE(as<std::string>(), "HTTP/1.1 200 OK\r\nContent-Len", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
               "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n");
  Pair pair;
  Asking asking(pair);
  asking.finish = true;
  asking.ask(cut);
  asking.check_failure(ExchangeFailure::kClosed, "in the middle of the answer");
}

TEST_CASE("without TLS's goodbye even a body that lasts until the end is cut off", "[wire]") {
  Pair pair(net::testing::server_tls());
  Client::Options options;
  options.connect.tls = net::testing::client_tls();
  options.connect.server_name = "127.0.0.1";
  Asking asking(pair, options);
  asking.ask("HTTP/1.1 200 OK\r\n\r\nabc");
  pair.loop->run_until([] { return false; }, 5ms);
  pair.server.stream->abort();
  REQUIRE_FALSE(asking.result());
}

TEST_CASE("an end without any answer is told as what it was", "[wire]") {
  Pair pair;
  Asking asking(pair);
  SECTION("closed") {
    asking.ask("");
    pair.server.stream->close();
    asking.check_failure(ExchangeFailure::kClosed, "before any answer");
  }
  SECTION("reset") {
    asking.ask("");
    pair.server.stream->abort();
    asking.check_failure(ExchangeFailure::kReset, "before any answer");
  }
  SECTION("refused") {
    pair.listener->pause();
    Client::Options options;
    Pair other;
    options.address = other.listener->address();
    other.listener.reset();
    Client client(*pair.loop, options);
    std::optional<Outcome> outcome;
    client.send(get("/"), "GET", [&](Outcome result) { outcome = std::move(result); });
    CHECK_FALSE(outcome);
    REQUIRE(pair.until([&] { return outcome.has_value(); }));
    CHECK(outcome->error().failure == ExchangeFailure::kRefused);
  }
}

TEST_CASE("a kept connection that has ended meanwhile is not tried twice", "[wire]") {
  ServerHouse house;
  std::optional<Outcome> outcome;
  Client client(*house.loop, house.client_options());
  house.echo_targets();
  client.send(get("/1"), "GET", [&](Outcome result) { outcome = std::move(result); });
  REQUIRE(house.until([&] { return outcome.has_value(); }));
  house.on_request = [&](const ServerRequest& request) { house.server->drop(request.exchange, false); };
  outcome.reset();
  client.send(get("/2"), "GET", [&](Outcome result) { outcome = std::move(result); });
  REQUIRE(house.until([&] { return outcome.has_value(); }));
  REQUIRE_FALSE(*outcome);
  CHECK(outcome->error().failure == ExchangeFailure::kClosed);
  CHECK(house.requests.size() == 2);
  CHECK_FALSE(client.is_connected());
}

TEST_CASE("the end of an idle kept connection is told, and the next request opens another", "[wire]") {
  ServerHouse house;
  house.echo_targets();
  Client client(*house.loop, house.client_options());
  std::optional<ExchangeFailure> idle_end;
  client.set_on_idle_end([&](ExchangeFailure failure) { idle_end = failure; });
  std::optional<Outcome> outcome;
  const auto ask = [&] {
    outcome.reset();
    client.send(get("/"), "GET", [&](Outcome result) { outcome = std::move(result); });
    REQUIRE(house.until([&] { return outcome.has_value(); }));
    REQUIRE(*outcome);
  };
  ask();
  const bool reset = GENERATE(false, true);
  house.server->drop_all(reset);
  REQUIRE(house.until([&] { return idle_end.has_value(); }));
  CHECK(*idle_end == (reset ? ExchangeFailure::kReset : ExchangeFailure::kClosed));
  CHECK_FALSE(client.is_connected());
  ask();
  CHECK_FALSE((*outcome)->reused);
}

TEST_CASE("bytes that nobody asked for end the connection", "[wire]") {
  Pair pair;
  Asking asking(pair);
  SECTION("right behind an answer, which still counts") {
    asking.ask("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nb");
    CHECK(asking.reply().body == "a");
    CHECK_FALSE(asking.client.is_connected());
  }
  SECTION("on the idle connection") {
    asking.ask("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na");
    asking.reply();
    CHECK(asking.client.is_connected());
    pair.server.to_send = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nb";
    pair.server.flush();
    REQUIRE(pair.until([&] { return asking.idle_end.has_value(); }));
    CHECK(*asking.idle_end == ExchangeFailure::kProtocol);
    CHECK_FALSE(asking.client.is_connected());
  }
}

TEST_CASE("a connection that must not be kept is closed after the answer", "[wire]") {
  Pair pair;
  Asking asking(pair);
  asking.ask("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\na");
  CHECK(asking.reply().body == "a");
  CHECK_FALSE(asking.client.is_connected());
}

TEST_CASE("what is not HTTP, or too large, is refused", "[wire]") {
  Pair pair;
  Client::Options options;
  options.max_head_bytes = 1000;
  options.max_body_bytes = 1000;
  Asking asking(pair, options);
  SECTION("not HTTP") {
    asking.ask("SSH-2.0-OpenSSH_9.2\r\n");
    asking.check_failure(ExchangeFailure::kProtocol, "status_line");
  }
  SECTION("ambiguous") {
    asking.ask("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na");
    asking.check_failure(ExchangeFailure::kProtocol, "content_length");
  }
  SECTION("head") {
    asking.ask("HTTP/1.1 200 OK\r\nX: " + std::string(1000, 'x'));
    asking.check_failure(ExchangeFailure::kProtocol, "head_too_large");
  }
  SECTION("body") {
    asking.ask("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n" + std::string(1001, 'x'));
    asking.check_failure(ExchangeFailure::kProtocol, "over 1000 bytes");
  }
  SECTION("interim answers without end") {
    std::string interim;
    for (int i = 0; i < 100; ++i) interim += "HTTP/1.1 103 Early Hints\r\n\r\n";
    asking.ask(interim);
    asking.check_failure(ExchangeFailure::kProtocol, "over 16 interim answers");
  }
  SECTION("chunks that are mostly extensions") {
    std::string body;
    for (int i = 0; i < 500; ++i) body += "1;" + std::string(200, 'x') + "\r\na\r\n";
    asking.ask("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body);
    asking.check_failure(ExchangeFailure::kProtocol, "chunk sizes and extensions");
  }
  SECTION("another protocol") {
    asking.ask("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n");
    asking.check_failure(ExchangeFailure::kProtocol, "switches protocols");
  }
}

TEST_CASE("an answer has its own deadline", "[wire]") {
  Pair pair;
  Client::Options options;
  options.answer_timeout = 30ms;
  Asking asking(pair, options);
  SECTION("nothing came") {
    asking.ask("");
    asking.check_failure(ExchangeFailure::kAnswerTimeout, "no answer within 30ms");
  }
  SECTION("only a part came") {
    asking.ask("HTTP/1.1 200 OK\r\n");
    asking.check_failure(ExchangeFailure::kAnswerTimeout, "no complete answer within 30ms");
  }
}

TEST_CASE("a SYN that is lost is followed by another one after the connect's patience", "[wire]") {
  const auto loop = net::testing::make_loop();
  net::testing::FullListener full(*loop);
  int dials = 0;
  int lost = 0;
  Client::Options options;
  options.address = full.address;
  options.connect.timeout = 900ms;  // the kernel's own second SYN would come after 1 s
  options.connect_patience = [&] {
    ++dials;
    return Duration(50ms);
  };
  options.on_lost_syn = [&] { ++lost; };
  Client client(*loop, std::move(options));
  std::optional<Outcome> outcome;
  client.send(get("/"), "GET", [&](Outcome result) { outcome = std::move(result); });
  REQUIRE(loop->run_until([&] { return dials == 4; }, 5s));
  CHECK(lost == 3);

  net::testing::MuteListener awake(*loop, std::move(full.socket));
  REQUIRE(loop->run_until([&] { return awake.accepted.size() == 2 || outcome; }, 5s));
  REQUIRE_FALSE(outcome);
  CHECK(client.is_connected());
}

TEST_CASE("a handshake that does not finish is a node that does not answer", "[wire]") {
  Pair pair;  // plain: it reads the hello and says nothing
  Client::Options options;
  options.connect.tls = net::testing::client_tls();
  options.connect.server_name = "127.0.0.1";
  options.connect.timeout = 30ms;
  Asking asking(pair, options);
  asking.send();
  asking.check_failure(ExchangeFailure::kAnswerTimeout, "");
}

TEST_CASE("a certificate that does not fit is a TLS failure", "[wire]") {
  Pair pair(net::testing::server_tls());
  Client::Options options;
  options.connect.tls = net::testing::client_tls("other-ca.pem");
  options.connect.server_name = "127.0.0.1";
  Asking asking(pair, options);
  asking.send();
  asking.check_failure(ExchangeFailure::kTls, "");
}

TEST_CASE("a client may be closed or destroyed while it waits, and calls nobody then", "[wire]") {
  Pair pair;
  std::optional<Outcome> outcome;
  SECTION("closed") {
    Asking asking(pair);
    asking.ask("");
    asking.client.close();
    CHECK_FALSE(asking.client.is_busy());
    REQUIRE(pair.until([&] { return pair.server.over(); }));
    CHECK_FALSE(asking.outcome);
  }
  SECTION("destroyed within its own answer") {
    ServerHouse house;
    house.echo_targets();
    auto client = std::make_unique<Client>(*house.loop, house.client_options());
    client->send(get("/"), "GET", [&](Outcome result) {
      client.reset();
      outcome = std::move(result);
    });
    REQUIRE(house.until([&] { return outcome.has_value(); }));
    REQUIRE(house.until([&] { return house.server->connections() == 0; }));
  }
}
