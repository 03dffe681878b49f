#include <algorithm>

#include "bellwether/wire/server.h"
#include "component/wire/server_house.h"

using namespace bellwether;
using namespace bellwether::wire;
using namespace bellwether::wire::testing;

namespace {

std::string put_head(const std::string& target, const std::string& framing) {
  return "PUT " + target + " HTTP/1.1\r\nHost: a\r\n" + framing + "\r\n\r\n";
}

// A Server that drops bodies, and answers each request with its target.
struct DiscardingServer {
  DiscardingServer() : house(options()) { house.echo_targets(); }
  static Server::Options options() {
    Server::Options options;
    options.bodies = Server::Bodies::kDiscard;
    options.body_timeout = 300ms;
    return options;
  }
  // Sends it all, whether answers come meanwhile or not.
  void send(End& end, std::string text) {
    end.to_send = std::move(text);
    house.connect(end);
    REQUIRE(house.until([&] { return end.to_send.empty() || end.over(); }));
  }
  ServerHouse house;
};

}  // namespace

TEST_CASE("a client that pipelines thousands of requests does not keep another one waiting", "[wire]") {
  ServerHouse house;
  house.echo_targets();
  End flood, other;
  house.connect(flood);
  house.connect(other);
  REQUIRE(house.until([&] { return flood.opened && other.opened && house.server->connections() == 2; }));
  for (int i = 0; i < 2000; ++i) flood.to_send += get("/flood");
  flood.flush();
  other.to_send = get("/other");
  other.flush();
  REQUIRE(house.until([&] { return count(other.received, "HTTP/1.1 200 OK") == 1; }));
  const auto at = std::find_if(house.requests.begin(), house.requests.end(),
                               [](const ServerRequest& request) { return request.target == "/other"; });
  CHECK(at - house.requests.begin() < 64);
  REQUIRE(house.until([&] { return count(flood.received, "HTTP/1.1 200 OK") == 2000; }));
}

TEST_CASE("a body without end does not keep another client waiting", "[wire]") {
  DiscardingServer it;
  End flood, other;
  it.house.connect(flood);
  it.house.connect(other);
  REQUIRE(it.house.until([&] { return flood.opened && other.opened && it.house.server->connections() == 2; }));
  flood.to_send = put_head("/flood", "Content-Length: 100000000");
  flood.to_send.resize(64'000'000, 'x');  // more than the kernel takes, whose buffers grow to 4 MiB and more
  flood.flush();
  other.to_send = get("/other");
  other.flush();
  REQUIRE(it.house.until([&] { return count(other.received, "HTTP/1.1 200 OK") == 1; }));
  CHECK_FALSE(flood.to_send.empty());
}

TEST_CASE("at the limit the connection that has been silent for longest makes room", "[wire]") {
  Server::Options options;
  options.max_connections = 3;
  options.when_full = Server::WhenFull::kEndLongestIdle;
  std::vector<Server::End> ends;
  options.on_connection_end = [&ends](Server::End why) { ends.push_back(why); };
  ServerHouse house(options);
  house.echo_targets();
  End asked, silent, newer, newest;
  house.connect(asked);
  asked.to_send = get("/");
  REQUIRE(house.until([&] { return !asked.received.empty(); }));
  house.connect(silent);
  REQUIRE(house.until([&] { return house.server->connections() == 2; }));
  house.connect(newer);
  REQUIRE(house.until([&] { return house.server->connections() == 3; }));
  house.connect(newest);
  newest.to_send = get("/");
  REQUIRE(house.until([&] { return !newest.received.empty(); }));
  CHECK(house.until([&] { return silent.over(); }));
  CHECK_FALSE(asked.over());
  CHECK_FALSE(newer.over());
  CHECK(ends == std::vector{Server::End::kMadeRoom});
}

TEST_CASE("a connection whose request is with the handler does not make room", "[wire]") {
  Server::Options options;
  options.max_connections = 1;
  options.when_full = Server::WhenFull::kEndLongestIdle;
  ServerHouse house(options);
  End waiting, refused;
  waiting.to_send = get("/");
  house.connect(waiting);
  REQUIRE(house.until([&] { return house.requests.size() == 1; }));
  house.connect(refused);
  REQUIRE(house.until([&] { return refused.over(); }));
  house.server->respond(house.requests.front().exchange, {});
  CHECK(house.until([&] { return !waiting.received.empty(); }));
}

TEST_CASE("the first byte of a connection is due within the time for a head", "[wire]") {
  Server::Options options;
  options.head_timeout = 50ms;
  options.idle_timeout = 60s;
  std::vector<Server::End> ends;
  options.on_connection_end = [&ends](Server::End why) { ends.push_back(why); };
  ServerHouse house(options);
  house.echo_targets();
  End silent, kept;
  kept.to_send = get("/");
  house.connect(kept);
  REQUIRE(house.until([&] { return !kept.received.empty(); }));
  house.connect(silent);
  REQUIRE(house.until([&] { return silent.over(); }));
  CHECK_FALSE(kept.over());
  CHECK(ends == std::vector{Server::End::kSilent});
}

TEST_CASE("a body that nobody wants is dropped as it comes, and the connection goes on", "[wire]") {
  DiscardingServer it;
  const std::string chunk = "10000\r\n" + std::string(0x10000, 'x') + "\r\n";
  std::string chunked = put_head("/2", "Transfer-Encoding: chunked");
  for (int i = 0; i < 32; ++i) chunked += chunk;
  End end;
  it.send(end,
          put_head("/1", "Content-Length: 2097152") + std::string(2097152, 'x') + chunked + "0\r\n\r\n" + get("/3"));
  REQUIRE(it.house.until([&] { return count(end.received, "HTTP/1.1 200 OK") == 3; }));
  CHECK(end.received.ends_with("/3"));
  CHECK(it.house.requests[0].body.empty());
}

TEST_CASE("an answer does not wait for the body", "[wire]") {
  DiscardingServer it;
  End end;
  it.send(end, put_head("/1", "Content-Length: 1000") + "some");
  REQUIRE(it.house.until([&] { return count(end.received, "HTTP/1.1 200 OK") == 1; }));
  CHECK_FALSE(end.over());
  end.to_send = std::string(996, 'x') + get("/2");
  end.flush();
  CHECK(it.house.until([&] { return count(end.received, "HTTP/1.1 200 OK") == 2; }));
}

TEST_CASE("a body that stops in the middle ends its connection", "[wire]") {
  DiscardingServer it;
  End end;
  it.send(end, put_head("/1", "Content-Length: 1000") + "some");
  CHECK(it.house.until([&] { return end.over(); }));
  CHECK(count(end.received, "HTTP/1.1 ") == 1);
}

TEST_CASE("a client that waits for 100 Continue before its unwanted body gets the answer and an end", "[wire]") {
  DiscardingServer it;
  End end;
  it.send(end, put_head("/1", "Expect: 100-continue\r\nContent-Length: 1000"));
  REQUIRE(it.house.until([&] { return end.over(); }));
  CHECK_THAT(end.received, CATCH_CONTAINS("HTTP/1.1 200 OK") && CATCH_CONTAINS("Connection: close"));
}

TEST_CASE("an unwanted body with broken framing is refused while its request waits, and ends it after", "[wire]") {
  DiscardingServer it;
  it.house.on_request = {};
  End held;
  it.send(held, put_head("/1", "Transfer-Encoding: chunked") + "xyz");
  REQUIRE(it.house.until([&] { return held.over(); }));
  CHECK_THAT(held.received, CATCH_CONTAINS("HTTP/1.1 400 "));
  CHECK(it.house.gone.size() == 1);
  it.house.echo_targets();
  End answered;
  it.send(answered, put_head("/2", "Transfer-Encoding: chunked") + "1\r\n");
  REQUIRE(it.house.until([&] { return !answered.received.empty(); }));
  answered.to_send = "xyz";
  answered.flush();
  REQUIRE(it.house.until([&] { return answered.over(); }));
  CHECK(count(answered.received, "HTTP/1.1 ") == 1);
}

TEST_CASE("who makes room: the silent first, the idle between requests last and not while silent ones are young",
          "[wire]") {
  const TimePoint now = TimePoint{} + 1h;
  const RoomPolicy policy{.silent = 50ms, .answered = 50ms, .unfinished = 2s, .stuck = 5s, .between = 1s, .most = 3};
  std::string ended;
  const auto idle = [&](Idleness idleness, Duration age, char name) {
    return IdleConnection{idleness, now - age, [&ended, name] {
                            ended += name;
                            return true;
                          }};
  };
  const auto end_of = [&](std::vector<IdleConnection> connections) {
    ended.clear();
    const std::size_t count = end_longest_idle(std::move(connections), now, policy);
    CHECK(count == ended.size());
    return ended;
  };
  CHECK(
      end_of({idle(Idleness::kBetween, 9s, 'a'), idle(Idleness::kSilent, 60ms, 'b'), idle(Idleness::kSilent, 70ms, 'c'),
              idle(Idleness::kStuck, 9s, 'd'), idle(Idleness::kUnfinished, 3s, 'e')}) == "cbe");
  CHECK(end_of({idle(Idleness::kBetween, 2s, 'a'), idle(Idleness::kBetween, 3s, 'b')}) == "b");
  CHECK(end_of({idle(Idleness::kBetween, 2s, 'a'), idle(Idleness::kSilent, 10ms, 'b')}).empty());
  CHECK(end_of({idle(Idleness::kBetween, 2s, 'a'), idle(Idleness::kUnfinished, 1s, 'b')}) == "a");
  CHECK(end_of({idle(Idleness::kStuck, 4s, 'a'), idle(Idleness::kBetween, 500ms, 'b')}).empty());
}

TEST_CASE("who has just ceased to be idle makes no room, is not counted, and takes nobody's turn", "[wire]") {
  const TimePoint now = TimePoint{} + 1h;
  const RoomPolicy policy{.between = 1s, .most = 3, .most_between = 1};
  std::string asked;
  const auto idle = [&](Duration age, char name, bool is_idle_still) {
    return IdleConnection{Idleness::kBetween, now - age, [&asked, name, is_idle_still] {
                            asked += name;
                            return is_idle_still;
                          }};
  };
  CHECK(end_longest_idle({idle(9s, 'a', false), idle(8s, 'b', true), idle(7s, 'c', true)}, now, policy) == 1);
  CHECK(asked == "ab");
}
