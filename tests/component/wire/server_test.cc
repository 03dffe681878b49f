#include "bellwether/wire/server.h"

#include "component/wire/server_house.h"

using namespace bellwether;
using namespace bellwether::wire;
using namespace bellwether::wire::testing;

namespace {

// Sends `text` on a connection of its own and returns all that came until the server ended it.
std::string ask(ServerHouse& house, const std::string& text) {
  End end;
  end.to_send = text;
  house.connect(end);
  REQUIRE(house.until([&] { return end.over(); }));
  return end.received;
}

}  // namespace

TEST_CASE("pipelined requests are answered one after the other, in order", "[wire]") {
  ServerHouse house;
  End end;
  end.to_send = get("/1") + get("/2") + get("/3");
  house.connect(end);
  REQUIRE(house.until([&] { return house.requests.size() == 1; }));
  house.settle();
  CHECK(house.requests.size() == 1);
  for (std::size_t i = 0; i < 3; ++i) {
    REQUIRE(house.until([&] { return house.requests.size() == i + 1; }));
    house.server->respond(house.requests[i].exchange, {.status = 200, .headers = {}, .body = house.requests[i].target});
  }
  REQUIRE(house.until([&] { return count(end.received, "HTTP/1.1 200 OK") == 3; }));
  CHECK(end.received.find("/1") < end.received.find("/2"));
  CHECK(end.received.find("/2") < end.received.find("/3"));
}

TEST_CASE("answers may be given from within the handler", "[wire]") {
  ServerHouse house;
  house.echo_targets();
  End end;
  for (int i = 0; i < 500; ++i) end.to_send += get("/" + std::to_string(i));
  house.connect(end);
  REQUIRE(house.until([&] { return count(end.received, "HTTP/1.1 200 OK") == 500; }));
}

TEST_CASE("a request may arrive byte by byte", "[wire]") {
  ServerHouse house;
  house.echo_targets();
  const std::string text =
      "PUT /v1/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\n\r\n";
  End end;
  house.connect(end);
  REQUIRE(house.until([&] { return end.opened; }));
  for (char c : text) {
    CHECK(house.requests.empty());
    end.to_send = std::string(1, c);
    end.flush();
    house.loop->run_until([] { return false; }, 1ms);
  }
  REQUIRE(house.until([&] { return !end.received.empty(); }));
  CHECK(house.requests.front().body == "abcde");
  CHECK(house.requests.front().header("HOST") == "a");
}

TEST_CASE("what is no request is refused with the reason, and the connection ends", "[wire]") {
  ServerHouse house;
  house.echo_targets();
  const std::string refused =
      ask(house, "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n" + get("/"));
  CHECK_THAT(refused, CATCH_CONTAINS("HTTP/1.1 400 Bad Request") &&
                          CATCH_CONTAINS("there are both Transfer-Encoding and Content-Length") &&
                          CATCH_CONTAINS("Connection: close"));
  CHECK_THAT(ask(house, "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
             CATCH_CONTAINS("HTTP/1.1 400"));
  CHECK_THAT(ask(house, "GET / HTTP/2.0\r\nHost: a\r\n\r\n"), CATCH_CONTAINS("HTTP/1.1 505"));
  CHECK_THAT(ask(house, "\x16\x03\x01\x02"), CATCH_CONTAINS("HTTP/1.1 400"));
  CHECK(house.requests.empty());
}

TEST_CASE("a head and a body over their limits are refused", "[wire]") {
  Server::Options options;
  options.head.max_head_bytes = 1024;
  options.max_body_bytes = 10;
  ServerHouse house(options);
  house.echo_targets();
  CHECK_THAT(ask(house, "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(100'000, 'x')),
             CATCH_CONTAINS("HTTP/1.1 431"));
  CHECK_THAT(ask(house, "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n"), CATCH_CONTAINS("HTTP/1.1 413"));
  CHECK_THAT(
      ask(house,
          "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n123456\r\n5\r\n12345\r\n0\r\n\r\n"),
      CATCH_CONTAINS("HTTP/1.1 413"));
  CHECK(house.requests.empty());
}

TEST_CASE("a client that waits for 100 Continue gets it", "[wire]") {
  ServerHouse house;
  house.echo_targets();
  End end;
  end.to_send = "PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";
  house.connect(end);
  REQUIRE(house.until([&] { return end.received == "HTTP/1.1 100 Continue\r\n\r\n"; }));
  end.to_send = "abc";
  end.flush();
  REQUIRE(house.until([&] { return count(end.received, "HTTP/1.1 200 OK") == 1; }));
  CHECK(house.requests.front().body == "abc");
}

TEST_CASE("an answer to HEAD has no body", "[wire]") {
  ServerHouse house;
  house.echo_targets();
  const std::string answer = ask(house, "HEAD /abc HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  CHECK_THAT(answer, CATCH_CONTAINS("Content-Length: 4\r\n"));
  CHECK_THAT(answer, Catch::Matchers::EndsWith("\r\n\r\n"));
}

TEST_CASE("HTTP/1.0 gets one answer and an end", "[wire]") {
  ServerHouse house;
  house.echo_targets();
  CHECK_THAT(ask(house, "GET /abc HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
             CATCH_CONTAINS("Connection: close") && Catch::Matchers::EndsWith("/abc"));
}

TEST_CASE("a client that leaves before its answer is reported gone, once, and its answer goes nowhere", "[wire]") {
  ServerHouse house;
  End end;
  end.to_send = get("/");
  house.connect(end);
  REQUIRE(house.until([&] { return house.requests.size() == 1; }));
  const auto how = GENERATE(0, 1, 2);
  if (how == 0) end.stream->close();
  if (how == 1) end.stream->abort();
  if (how == 2) end.stream->shutdown_write();
  REQUIRE(house.until([&] { return !house.gone.empty(); }));
  CHECK(house.gone == std::vector{house.requests.front().exchange});
  house.server->respond(house.requests.front().exchange, {});
  CHECK(house.server->connections() == 0);
}

TEST_CASE("answers given before the client's end was seen still reach it", "[wire]") {
  ServerHouse house;
  house.echo_targets();
  End end;
  end.to_send = get("/1") + get("/2");
  end.finish = true;
  house.connect(end);
  REQUIRE(house.until([&] { return end.over(); }));
  CHECK(end.eof);
  CHECK(count(end.received, "HTTP/1.1 200 OK") == 2);
}

TEST_CASE("a client that does not read is not read from", "[wire]") {
  ServerHouse house;
  const std::string large(1'000'000, 'x');
  house.on_request = [&](const ServerRequest& request) {
    house.server->respond(request.exchange, {.status = 200, .headers = {}, .body = large});
  };
  End end;
  end.reading = false;
  for (int i = 0; i < 50; ++i) end.to_send += get("/");
  house.connect(end);
  REQUIRE(house.until([&] { return !house.requests.empty(); }));
  house.settle();
  CHECK(house.requests.size() < 20);
  end.reading = true;
  end.on_readable();
  REQUIRE(house.until([&] { return house.requests.size() == 50 && end.received.size() > 50 * large.size(); }));
}

TEST_CASE("the idle and the head limits end a connection, the handler's time does not count", "[wire]") {
  Server::Options options;
  options.idle_timeout = 30ms;
  options.head_timeout = 30ms;
  ServerHouse house(options);
  End idle, slow, waiting;
  slow.to_send = "GET / HT";
  waiting.to_send = get("/");
  house.connect(idle);
  house.connect(slow);
  house.connect(waiting);
  REQUIRE(house.until([&] { return idle.over() && slow.over(); }));
  CHECK(idle.received.empty());
  CHECK_THAT(slow.received, CATCH_CONTAINS("HTTP/1.1 408"));
  house.settle();
  CHECK_FALSE(waiting.over());
  REQUIRE(house.requests.size() == 1);
  house.server->respond(house.requests.front().exchange, {});
  REQUIRE(house.until([&] { return !waiting.received.empty(); }));
}

TEST_CASE("connections beyond the limit are closed", "[wire]") {
  Server::Options options;
  options.max_connections = 1;
  ServerHouse house(options);
  house.echo_targets();
  End first, second;
  house.connect(first);
  REQUIRE(house.until([&] { return house.server->connections() == 1; }));
  house.connect(second);
  REQUIRE(house.until([&] { return second.over(); }));
  first.to_send = get("/");
  first.flush();
  REQUIRE(house.until([&] { return !first.received.empty(); }));
}

TEST_CASE("the handler may end every connection, its own too", "[wire]") {
  ServerHouse house;
  const bool reset = GENERATE(false, true);
  house.on_request = [&](const ServerRequest& request) {
    house.server->drop_all(reset);
    house.server->respond(request.exchange, {});
  };
  End other, asking;
  house.connect(other);
  REQUIRE(house.until([&] { return house.server->connections() == 1; }));
  asking.to_send = get("/") + get("/");
  house.connect(asking);
  REQUIRE(house.until([&] { return other.over() && asking.over(); }));
  CHECK(asking.received.empty());
  CHECK(asking.read_error.has_value() == reset);
  CHECK(house.requests.size() == 1);
  CHECK(house.gone.empty());
  CHECK(house.server->connections() == 0);
}

TEST_CASE("one exchange may be dropped without an answer", "[wire]") {
  ServerHouse house;
  End end;
  end.to_send = get("/");
  house.connect(end);
  REQUIRE(house.until([&] { return house.requests.size() == 1; }));
  house.server->drop(house.requests.front().exchange, true);
  REQUIRE(house.until([&] { return end.over(); }));
  CHECK(end.read_error);
  CHECK(house.gone.empty());
}

TEST_CASE("a frozen server neither reads nor answers, and goes on where it was", "[wire]") {
  Server::Options options;
  options.idle_timeout = 10ms;
  ServerHouse house(options);
  End early, late, leaving;
  early.to_send = get("/early");
  house.connect(early);
  leaving.to_send = get("/leaving");
  house.connect(leaving);
  REQUIRE(house.until([&] { return house.requests.size() == 2; }));
  house.server->set_frozen(true);
  late.to_send = get("/late");
  house.connect(late);
  REQUIRE(house.until([&] { return house.server->connections() == 3; }));
  for (const ServerRequest& request : house.requests) {
    if (request.target == "/early") house.server->respond(request.exchange, {});
  }
  leaving.stream->close();
  house.settle();
  CHECK(early.received.empty());
  CHECK(house.requests.size() == 2);
  CHECK(house.gone.empty());

  house.server->set_frozen(false);
  REQUIRE(house.until([&] { return house.requests.size() == 3 && !early.received.empty(); }));
  REQUIRE(house.until([&] { return house.gone.size() == 1; }));
}

TEST_CASE("a server may go while requests wait", "[wire]") {
  ServerHouse house;
  End end;
  end.to_send = get("/");
  house.connect(end);
  REQUIRE(house.until([&] { return house.requests.size() == 1; }));
  house.listener.reset();
  house.server.reset();
  REQUIRE(house.until([&] { return end.over(); }));
  CHECK(house.gone.empty());
}
