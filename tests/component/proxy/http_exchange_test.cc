#include "component/proxy/http_rig.h"
#include "component/proxy/stuck_worker.h"

namespace bellwether::proxy {

TEST_CASE("requests on one connection are answered in order, pipelined ones too, over one connection to the node",
          "[proxy][http]") {
  HttpRig it;
  it.start();
  auto client = it.rig.client();
  client->send(get("/v1/a") + put("/v1/b", "xyz") + get("/v1/c"));
  REQUIRE(it.until_has(*client, "GET /v1/c"));
  CHECK(client->received.find("/v1/a") < client->received.find("/v1/b"));
  CHECK(client->received.find("/v1/b") < client->received.find("/v1/c"));
  client->send(get("/v1/d"));
  REQUIRE(it.until_has(*client, "GET /v1/d"));
  CHECK(it.one.seen.size() == 4);
  CHECK(it.one.seen[1].body == "xyz");
  CHECK(it.one.backend.peers.size() == 1);
  const auto counts = it.counts();
  CHECK(counts.requests_total == 4);
  CHECK(counts.ok == 4);
  CHECK(counts.requests_now == 0);
  CHECK(counts.by_status_class[1] == 4);
}

TEST_CASE("methods and targets reach the node byte for byte, and so does the wish not to be forwarded",
          "[proxy][http]") {
  HttpRig it;
  it.start();
  auto client = it.rig.client();
  client->send(
      "LIST /v1/secret//a%2Fb/?x=%20&y HTTP/1.1\r\nHost: v:1\r\nX-Vault-Namespace: ns\r\nConnection: "
      "X-Secret\r\nX-Secret: 1\r\nX-Vault-No-Request-Forwarding: \r\nX-Forwarded-For: 9.9.9.9\r\n\r\n");
  client->send("SCAN /v1/x/ HTTP/1.1\r\nHost: v\r\n\r\n");
  REQUIRE(it.until_has(*client, "SCAN /v1/x/ HTTP/1.1"));
  const std::string& head = it.one.seen[0].head;
  CHECK_THAT(head, CATCH_CONTAINS("LIST /v1/secret//a%2Fb/?x=%20&y HTTP/1.1\r\nHost: v:1\r\n"));
  CHECK_THAT(head, CATCH_CONTAINS("\r\nX-Vault-Namespace: ns\r\n"));
  CHECK_THAT(head, CATCH_CONTAINS("\r\nX-Vault-No-Request-Forwarding: true\r\n"));
  CHECK_THAT(head, CATCH_CONTAINS("\r\nX-Forwarded-For: 127.0.0.1\r\n"));
  CHECK(head.find("X-Secret") == std::string::npos);
}

TEST_CASE("chunked bodies pass both ways", "[proxy][http]") {
  HttpRig it;
  it.one.answer = [](const Seen& seen, Peer&) {
    return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n" + std::to_string(seen.body.size()) +
           "\r\n" + seen.body + "\r\n0\r\nTrailer: 1\r\n\r\n";
  };
  it.start();
  auto client = it.rig.client();
  client->send("POST /v1/a HTTP/1.1\r\nHost: v\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n");
  REQUIRE(it.until_has(*client, "0\r\n\r\n"));
  CHECK(it.one.seen[0].body == "hello");
  CHECK_THAT(client->received, CATCH_CONTAINS("\r\n\r\n3\r\nabc\r\n5\r\nhello\r\n0\r\n\r\n"));
  client->send(get("/v1/b"));
  CHECK(it.rig.until([&] { return it.one.seen.size() == 2; }));
}

TEST_CASE("an answer that lasts until the close is chunked for the client, and the close is its end", "[proxy][http]") {
  HttpRig it;
  it.one.answer = [](const Seen&, Peer& peer) {
    peer.send("HTTP/1.1 200 OK\r\n\r\nall");
    peer.finish();
    return std::string();
  };
  it.start();
  auto client = it.rig.client();
  client->send(get("/v1/a"));
  REQUIRE(it.until_has(*client, "3\r\nall\r\n0\r\n\r\n"));
  auto old = it.rig.client();
  old->send("GET /v1/a HTTP/1.0\r\n\r\n");
  REQUIRE(it.rig.until([&] { return old->saw_end; }));
  CHECK_THAT(old->received, CATCH_CONTAINS("\r\n\r\nall"));
}

TEST_CASE("HEAD, 204 and 304 have no body, and the connection goes on", "[proxy][http]") {
  HttpRig it;
  it.one.answer = [](const Seen& seen, Peer&) -> std::string {
    if (seen.line.starts_with("HEAD")) return "HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n";
    if (seen.line.find("/204") != std::string::npos) return "HTTP/1.1 204 No Content\r\n\r\n";
    if (seen.line.find("/304") != std::string::npos) return "HTTP/1.1 304 Not Modified\r\n\r\n";
    return HttpNode::ok("last");
  };
  it.start();
  auto client = it.rig.client();
  client->send("HEAD /v1/a HTTP/1.1\r\nHost: v\r\n\r\n" + get("/204") + get("/304") + get("/v1/x"));
  REQUIRE(it.until_has(*client, "last"));
  CHECK_THAT(client->received, CATCH_CONTAINS("Content-Length: 1234\r\n"));
  CHECK(it.one.backend.peers.size() == 1);
}

TEST_CASE("a client that expects 100-continue gets the node's, and its body goes through", "[proxy][http]") {
  HttpRig it;
  it.one.on_head = [](Peer& peer, const http::RequestHead& head) {
    if (head.expects_continue) peer.send("HTTP/1.1 100 Continue\r\n\r\n");
  };
  it.start();
  auto client = it.rig.client();
  const std::string body(2 * 1024 * 1024, 'b');
  client->send("PUT /v1/a HTTP/1.1\r\nHost: v\r\nExpect: 100-continue\r\nContent-Length: " +
               std::to_string(body.size()) + "\r\n\r\n");
  REQUIRE(it.until_has(*client, "HTTP/1.1 100 Continue\r\n\r\n"));
  client->send(body);
  REQUIRE(it.until_has(*client, "HTTP/1.1 200 OK"));
  CHECK(it.one.seen[0].body == body);
}

TEST_CASE("after a 101 that was asked for, bytes pass both ways", "[proxy][http]") {
  HttpRig it;
  it.one.answer = [](const Seen&, Peer& peer) {
    peer.on_data = [](Peer& self, std::string_view bytes) { self.send(bytes); };
    peer.on_end = [](Peer& self) { self.finish(); };
    return std::string("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  };
  it.start();
  auto client = it.rig.client();
  client->send(
      "GET /v1/sys/events/subscribe/x HTTP/1.1\r\nHost: v\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  REQUIRE(it.until_has(*client, "HTTP/1.1 101"));
  client->send("\x81\x03hey");
  REQUIRE(it.until_has(*client, "\x81\x03hey"));
  client->finish();
  CHECK(it.rig.until([&] { return client->is_over(); }));
  CHECK(it.rig.until([&] { return it.rig.proxy->counts().sessions_now == 0; }));
}

TEST_CASE("a tunnel's client that half-closes still gets the node's last words", "[proxy][http]") {
  HttpRig it;
  it.one.answer = [](const Seen&, Peer& peer) {
    peer.on_data = nullptr;
    peer.on_end = [](Peer& self) {
      self.send("last words");
      self.finish();
    };
    return std::string("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  };
  it.start();
  auto client = it.rig.client();
  client->send(
      "GET /v1/sys/events/subscribe/x HTTP/1.1\r\nHost: v\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  REQUIRE(it.until_has(*client, "HTTP/1.1 101"));
  client->finish();
  REQUIRE(it.until_has(*client, "last words"));
  CHECK(it.rig.until([&] { return it.rig.proxy->counts().sessions_now == 0; }));
}

TEST_CASE("what is ambiguous is rejected with its reason and nothing of it reaches a node", "[proxy][http]") {
  HttpRig it;
  it.start();
  for (const char* bad : {"GET /v1/a HTTP/1.1\r\nHost: v\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
                          "GET /v1/a HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "GET /v1/a HTTP/1.1\nHost: v\n\n",
                          "GET /v1/a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
    CAPTURE(bad);
    auto client = it.rig.client();
    client->send(std::string(bad) + get("/v1/smuggled"));
    REQUIRE(it.rig.until([&] { return client->saw_end; }));
    CHECK(client->received.starts_with("HTTP/1.1 400 "));
    CHECK_THAT(client->received, CATCH_CONTAINS("{\"errors\":[\"Bellwether: "));
    CHECK(client->received.rfind("HTTP/1.1") == 0);
  }
  CHECK(it.one.seen.empty());
  const auto counts = it.counts();
  CHECK(counts.rejected[static_cast<std::size_t>(http::Reject::kLengthConflict)] == 1);
  CHECK(counts.rejected[static_cast<std::size_t>(http::Reject::kHost)] == 1);
}

TEST_CASE("bad chunk framing after a good head is rejected, and the node never sees the body end", "[proxy][http]") {
  HttpRig it;
  it.start();
  auto client = it.rig.client();
  client->send("POST /v1/a HTTP/1.1\r\nHost: v\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\nZZ\r\n");
  REQUIRE(it.rig.until([&] { return client->saw_end; }));
  CHECK(client->received.starts_with("HTTP/1.1 400 "));
  CHECK(it.one.seen.empty());
  CHECK(it.counts().rejected_late == 1);
  CHECK(it.counts().requests_now == 0);
}

TEST_CASE("a truncated answer is never ended cleanly", "[proxy][http]") {
  HttpRig it;
  std::string part;
  it.one.answer = [&](const Seen&, Peer& peer) {
    peer.send(part);
    peer.finish();
    return std::string();
  };
  it.start();
  for (const char* bytes : {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
                            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"}) {
    part = bytes;
    auto client = it.rig.client();
    client->send(get("/v1/a"));
    REQUIRE(it.rig.until([&] { return client->is_over(); }));
    CHECK_THAT(client->received, CATCH_CONTAINS("abc"));
    CHECK(client->received.find("\r\n0\r\n\r\n") == std::string::npos);
  }
  CHECK(it.counts().cut == 2);
}

TEST_CASE("bytes after a complete answer close the node's connection and reach no client", "[proxy][http]") {
  HttpRig it;
  it.one.answer = [](const Seen& seen, Peer&) { return HttpNode::ok(seen.line) + "HTTP/1.1 200 OK\r\n\r\nstray"; };
  it.start();
  auto client = it.rig.client();
  client->send(get("/v1/a"));
  REQUIRE(it.until_has(*client, "GET /v1/a HTTP/1.1"));
  client->send(get("/v1/b"));
  REQUIRE(it.until_has(*client, "GET /v1/b HTTP/1.1"));
  CHECK(client->received.find("stray") == std::string::npos);
  CHECK(it.one.backend.peers.size() == 2);
}

TEST_CASE("a head that trickles in is answered with 408 after its time", "[proxy][http]") {
  HttpRig it;
  it.rig.options.timeout_header = 100ms;
  it.start();
  auto client = it.rig.client();
  client->send("GET /v1/a HT");
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().sessions_now == 1; }));
  it.rig.advance(100ms - Duration(1));
  CHECK_FALSE(client->saw_end);
  it.rig.advance(Duration(1));
  REQUIRE(it.rig.until([&] { return client->saw_end; }));
  CHECK(client->received.starts_with("HTTP/1.1 408 "));
  CHECK(it.counts().header_timeouts == 1);
}

TEST_CASE("100 MB go through both ways to a slow reader in bounded memory", "[proxy][http]") {
  HttpRig it;
  constexpr std::size_t kSize = 100 * 1000 * 1000;
  std::uint64_t got = 0;
  it.one.backend.on_accept = [&](Peer& peer) {
    peer.only_count();
    peer.pause_reading(true);
    peer.on_data = [&](Peer& self, std::string_view bytes) {
      const bool is_first = got == 0;
      got += bytes.size();
      if (is_first)
        self.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kSize) + "\r\n\r\n" + std::string(kSize, 'd'));
    };
  };
  it.start();
  auto client = it.rig.client();
  client->only_count();
  client->pause_reading(true);
  client->send("PUT /v1/a HTTP/1.1\r\nHost: v\r\nContent-Length: " + std::to_string(kSize) + "\r\n\r\n" +
               std::string(kSize, 'u'));
  REQUIRE(it.rig.until([&] { return !it.one.backend.peers.empty(); }));
  // As long as nobody reads, the proxy takes no more than buffers hold.
  std::uint64_t taken = 0;
  REQUIRE(it.rig.until([&] { return std::exchange(taken, it.rig.proxy->counts().bytes_up) == taken && taken > 0; }));
  CHECK(client->unsent() > kSize / 2);
  it.one.backend.peers[0]->pause_reading(false);
  REQUIRE(it.rig.until([&] { return got > kSize; }, 60s));
  CHECK(it.one.backend.peers[0]->unsent() > kSize / 2);
  client->pause_reading(false);
  REQUIRE(it.rig.until([&] { return client->received_bytes > kSize; }, 60s));
  CHECK(it.rig.until([&] { return it.counts().ok == 1; }));
}

TEST_CASE("a client that leaves in the middle of its answer is forgotten", "[proxy][http]") {
  HttpRig it;
  it.one.answer = [](const Seen&, Peer& peer) {
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nabc");
    return std::string();
  };
  it.start();
  auto client = it.rig.client();
  client->send(get("/v1/a"));
  REQUIRE(it.until_has(*client, "abc"));
  client->abort();
  CHECK(it.rig.until([&] { return it.counts().client_gone == 1; }));
  CHECK(it.rig.until([&] { return it.one.backend.peers[0]->is_over(); }));
  CHECK(it.rig.until([&] { return it.rig.proxy->counts().sessions_now == 0; }));
}

TEST_CASE("a client that resets its connection right behind a request is forgotten", "[proxy][http]") {
  HttpRig it;
  it.one.answer = [](const Seen& asked, Peer&) {
    return asked.line.find("/v1/sys/monitor") == std::string::npos ? HttpNode::ok("done") : std::string();
  };
  StuckWorker worker(it.rig);
  it.start();
  auto client = it.rig.client();
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().sessions_now == 1; }));
  // The worker finds bytes and reset at once.
  worker.make_stuck();
  SECTION("that has not even its head") { client->send("GET /v1/a HTTP/1.1\r\nHo"); }
  SECTION("that is whole") { client->send(get("/v1/a")); }
  SECTION("that lacks some of its body") {
    client->send(put("/v1/a", "abc").substr(0, put("/v1/a", "abc").size() - 1));
  }
  SECTION("whose body is of no known length") {
    client->send("PUT /v1/a HTTP/1.1\r\nHost: v\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  }
  SECTION("that is answered without end") { client->send(get("/v1/sys/monitor")); }
  REQUIRE(it.rig.until([&] { return client->unsent() == 0; }));
  client->abort();
  worker.release();
  CHECK(it.rig.until([&] { return it.rig.proxy->counts().sessions_now == 0; }));
  CHECK(it.counts().requests_now == 0);
}

}  // namespace bellwether::proxy
