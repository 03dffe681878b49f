#include <algorithm>

#include "bellwether/wire/idleness.h"
#include "bellwether/wire/server.h"
#include "component/wire/server_house.h"

using namespace bellwether;
using namespace bellwether::wire;
using namespace bellwether::wire::testing;

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

TEST_CASE("at the limit the connection that has been silent for longest makes room", "[wire]") {
  Server::Options options;
  options.max_connections = 3;
  options.when_full = Server::WhenFull::kEndLongestIdle;
  int made_room = 0;
  options.on_room_made = [&made_room] { ++made_room; };
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
  CHECK(made_room == 1);
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
  ServerHouse house(options);
  house.echo_targets();
  End silent, kept;
  kept.to_send = get("/");
  house.connect(kept);
  REQUIRE(house.until([&] { return !kept.received.empty(); }));
  house.connect(silent);
  REQUIRE(house.until([&] { return silent.over(); }));
  CHECK_FALSE(kept.over());
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
