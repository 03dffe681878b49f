#include "catch.hpp"
#include "component/proxy/harness.h"
#include "support/client_hello.h"

namespace bellwether::proxy {
namespace {

// Two nodes that take what they are told and say nothing; the first leads.
struct Silent {
  Silent() : one(*rig.loop), two(*rig.loop) {
    n1 = rig.add_node(one.address());
    n2 = rig.add_node(two.address());
    rig.options.log_sessions = true;
  }
  // A client that has said `bytes`, which the first node has read.
  std::unique_ptr<Peer> client_said(std::string_view bytes) {
    rig.start();
    rig.lead(1, n1);
    auto client = rig.client();
    client->send(bytes);
    REQUIRE(rig.until([&] { return one.peers.size() == 1 && one.peers[0]->received == bytes; }));
    return client;
  }
  [[nodiscard]] bool two_has(std::string_view bytes) {
    return rig.until([&] { return two.peers.size() == 1 && two.peers[0]->received == bytes; });
  }

  Rig rig;
  Backend one, two;
  NodeId n1, n2;
};

}  // namespace

TEST_CASE("a hello that the node closed upon is said again to the next leader, and the client notices nothing",
          "[proxy]") {
  Silent it;
  const std::string hello = client_hello({});
  auto client = it.client_said(hello);
  it.one.peers[0]->close();
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().held_now == 1; }));
  it.rig.lead(2, it.n2);
  REQUIRE(it.two_has(hello));
  CHECK_FALSE(client->is_over());
  it.two.peers[0]->send("server hello");
  CHECK(it.rig.until([&] { return client->received == "server hello"; }));
  CHECK(it.rig.proxy->counts().hello_replays == 1);
}

TEST_CASE("a hello that the node reset upon is said again too", "[proxy]") {
  Silent it;
  const std::string hello = client_hello({});
  auto client = it.client_said(hello);
  it.one.peers[0]->abort();
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().held_now == 1; }));
  it.rig.lead(2, it.n2);
  CHECK(it.two_has(hello));
}

TEST_CASE("a hello that a frozen leader has not answered goes to the one that replaces it, at once", "[proxy]") {
  Silent it;
  const std::string hello = client_hello({});
  auto client = it.client_said(hello);
  it.rig.lead(2, it.n2);
  REQUIRE(it.two_has(hello));
  CHECK_FALSE(client->is_over());
}

TEST_CASE("a PROXY header is made anew before a hello that is said again", "[proxy]") {
  Silent it;
  it.rig.options.send_proxy = net::ProxyVersion::kV1;
  it.rig.start();
  it.rig.lead(1, it.n1);
  auto client = it.rig.client();
  client->send(client_hello({}));
  REQUIRE(it.rig.until([&] { return it.one.peers.size() == 1 && !it.one.peers[0]->received.empty(); }));
  REQUIRE(it.rig.until([&] { return it.one.peers[0]->received.find(client_hello({})) != std::string::npos; }));
  const std::string said = it.one.peers[0]->received;
  it.rig.lead(2, it.n2);
  CHECK(it.two_has(said));
}

TEST_CASE("what follows a hello, or is none, is never said twice", "[proxy]") {
  const std::string bytes =
      GENERATE(client_hello({}) + "x", client_hello({.early_data = true}), std::string("GET / HTTP/1.1\r\n"));
  Silent it;
  auto client = it.client_said(bytes);
  it.one.peers[0]->close();
  REQUIRE(it.rig.until([&] { return client->is_over(); }));
  CHECK(it.rig.proxy->counts().hello_replays == 0);
  CHECK(it.two.peers.empty());
}

TEST_CASE("once the node has said a byte its end is the session's", "[proxy]") {
  Silent it;
  auto client = it.client_said(client_hello({}));
  it.one.peers[0]->send("s");
  REQUIRE(it.rig.until([&] { return client->received == "s"; }));
  it.one.peers[0]->close();
  REQUIRE(it.rig.until([&] { return client->is_over(); }));
  CHECK(it.rig.proxy->counts().hello_replays == 0);
}

TEST_CASE("a client that leaves while its hello waits to be said again is forgotten", "[proxy]") {
  Silent it;
  auto client = it.client_said(client_hello({}));
  it.one.peers[0]->close();
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().held_now == 1; }));
  client->close();
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().sessions_now == 0; }));
  CHECK(it.rig.proxy->counts().held_now == 0);
}

}  // namespace bellwether::proxy
