#include "bellwether/net/stream.h"
#include "bellwether/net/tls.h"
#include "component/net/stream_pair.h"
#include "component/proxy/http_rig.h"

namespace bellwether::proxy {
namespace {

constexpr std::string_view kThreeOfTen = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc";

// With the access log on, as a harness keeps it.
struct LoggedRig : HttpRig {
  LoggedRig() { rig.options.log_requests = true; }
  // The only line, once it has come.
  const ToldRequest& line() {
    REQUIRE(rig.until([&] { return !rig.requests.empty(); }));
    REQUIRE(rig.requests.size() == 1);
    return rig.requests[0];
  }
  [[nodiscard]] bool until_seen(const HttpNode& node) {
    return rig.until([&] { return !node.seen.empty(); });
  }
  [[nodiscard]] bool until_held() {
    return rig.until([&] { return rig.proxy->counts().held_now == 1; });
  }
};

bool adds_up(const HttpCounts& counts) {
  std::uint64_t sum = counts.ok + counts.ambiguous + counts.unserved + counts.cut + counts.client_gone;
  for (const std::uint64_t rejected : counts.rejected) sum += rejected;
  return sum + counts.requests_now == counts.requests_total;
}

}  // namespace

TEST_CASE("a request that went well is told with who answered, and when, and how much", "[proxy][http][log]") {
  LoggedRig it;
  it.start();
  auto client = it.rig.client();
  client->send(put("/v1/secret/data/mine?version=3", "hello"));
  REQUIRE(it.until_has(*client, "PUT /v1"));
  const ToldRequest& told = it.line();
  CHECK(told.end == "--");
  CHECK(told.record.outcome == Outcome::kOk);
  CHECK(told.record.status == 200);
  CHECK(told.record.node == it.n1);
  CHECK(told.record.epoch == 1);
  CHECK(told.record.sends == 1);
  CHECK(told.record.row == vault::Row::kAnswered);
  CHECK(told.record.upstream.has_value());
  CHECK(told.record.bytes_up > 5);
  CHECK(told.record.bytes_down == client->received.size());
  CHECK(told.method == "PUT");
  CHECK(told.listener == it.rig.proxy->addresses()[0].to_string());
  CHECK(told.client.starts_with("127.0.0.1:"));
}

TEST_CASE("paths are told only where they are wanted, and queries never", "[proxy][http][log]") {
  const bool wanted = GENERATE(false, true);
  LoggedRig it;
  it.rig.options.log_paths = wanted;
  it.start();
  auto client = it.rig.client();
  client->send(get("/v1/secret/data/mine?version=3"));
  CHECK(it.line().path == (wanted ? "/v1/secret/data/mine" : ""));
}

TEST_CASE("nothing is told of requests where it was not asked for", "[proxy][http][log]") {
  HttpRig it;
  it.start();
  auto client = it.rig.client();
  client->send(get("/v1/a"));
  REQUIRE(it.until_has(*client, "GET /v1/a"));
  client->close();
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().sessions_now == 0; }));
  CHECK(it.rig.requests.empty());
  CHECK(it.rig.records.empty());
}

TEST_CASE("each request of a connection has its own line", "[proxy][http][log]") {
  LoggedRig it;
  it.start();
  auto client = it.rig.client();
  client->send(put("/v1/a", std::string(5000, 'x')) + get("/v1/b"));
  REQUIRE(it.rig.until([&] { return it.rig.requests.size() == 2; }));
  CHECK(it.rig.requests[0].record.bytes_up > 5000);
  CHECK(it.rig.requests[1].method == "GET");
  CHECK(it.rig.requests[1].record.bytes_up < 1000);
}

TEST_CASE("a client that leaves while held ends its request as CQ", "[proxy][http][log]") {
  LoggedRig it;
  it.rig.start();
  it.rig.no_leader(1);
  auto client = it.rig.client();
  client->send(get("/v1/a"));
  REQUIRE(it.until_held());
  it.rig.advance(5ms);
  client->close();
  CHECK(it.line().end == "CQ");
  CHECK(it.line().record.outcome == Outcome::kClientGone);
  CHECK_FALSE(it.line().record.node.has_value());
  CHECK(it.line().record.status == 0);
  CHECK(it.line().record.held == 5ms);
}

TEST_CASE("a client that leaves before the answer's head ends its request as CH", "[proxy][http][log]") {
  LoggedRig it;
  it.one.answer = [](const Seen&, Peer&) { return std::string(); };
  it.start();
  auto client = it.rig.client();
  client->send(get("/v1/a"));
  REQUIRE(it.until_seen(it.one));
  client->abort();
  CHECK(it.line().end == "CH");
  CHECK(it.line().record.outcome == Outcome::kClientGone);
  CHECK_FALSE(it.line().record.upstream.has_value());
}

TEST_CASE("a client that leaves amid the answer ends its request as CD", "[proxy][http][log]") {
  LoggedRig it;
  it.one.answer = [](const Seen&, Peer&) { return std::string(kThreeOfTen); };
  it.start();
  auto client = it.rig.client();
  client->send(get("/v1/a"));
  REQUIRE(it.until_has(*client, "abc"));
  client->abort();
  CHECK(it.line().end == "CD");
  CHECK(it.line().record.outcome == Outcome::kClientGone);
  CHECK(it.line().record.status == 200);
}

TEST_CASE("a node that dies amid its answer ends the request as SD", "[proxy][http][log]") {
  LoggedRig it;
  it.one.answer = [](const Seen&, Peer&) { return std::string(kThreeOfTen); };
  it.start();
  auto client = it.rig.client();
  client->send(get("/v1/a"));
  REQUIRE(it.until_has(*client, "abc"));
  it.one.backend.peers[0]->abort();
  CHECK(it.line().end == "SD");
  CHECK(it.line().record.outcome == Outcome::kCut);
  CHECK(it.line().record.status == 200);
}

TEST_CASE("a node that dies before its answer ends the request as SH, ambiguous", "[proxy][http][log]") {
  LoggedRig it;
  it.one.answer = [](const Seen&, Peer& peer) {
    peer.abort();
    return std::string();
  };
  it.start();
  auto client = it.rig.client();
  client->send(get("/v1/a"));
  CHECK(it.line().end == "SH");
  CHECK(it.line().record.outcome == Outcome::kAmbiguous);
  CHECK(it.line().record.row == vault::Row::kCut);
  CHECK(it.line().record.status == 502);
}

TEST_CASE("an answer that does not come in time ends the request as sH", "[proxy][http][log]") {
  LoggedRig it;
  it.rig.options.timeout_answer = 100ms;
  it.one.answer = [](const Seen&, Peer&) { return std::string(); };
  it.start();
  auto client = it.rig.client();
  client->send(get("/v1/a"));
  REQUIRE(it.until_seen(it.one));
  it.rig.advance(100ms - Duration(1));
  CHECK(it.rig.requests.empty());
  it.rig.advance(Duration(1));
  CHECK(it.line().end == "sH");
  CHECK(it.line().record.row == vault::Row::kNoAnswer);
}

TEST_CASE("silence of a node that another has replaced ends the request as DH", "[proxy][http][log]") {
  LoggedRig it;
  it.rig.options.grace = 100ms;
  it.one.answer = [](const Seen&, Peer&) { return std::string(); };
  it.start();
  auto client = it.rig.client();
  client->send(get("/v1/a"));
  REQUIRE(it.until_seen(it.one));
  cluster::View moved = it.rig.view(2, it.n2);
  moved.nodes[0].role = cluster::Role::kStandby;
  it.rig.publish(moved);
  it.rig.advance(100ms);
  CHECK(it.line().end == "DH");
  CHECK(it.line().record.outcome == Outcome::kAmbiguous);
}

TEST_CASE("an answer that tells of a lost leadership ends the request as PH", "[proxy][http][log]") {
  LoggedRig it;
  it.one.answer = [](const Seen&, Peer&) { return HttpNode::error(500, "context canceled"); };
  it.start();
  auto client = it.rig.client();
  client->send(get("/v1/a"));
  CHECK(it.line().end == "PH");
  CHECK(it.line().record.row == vault::Row::kLeadershipLost);
}

TEST_CASE("a hold that lasts too long ends the request as sQ", "[proxy][http][log]") {
  LoggedRig it;
  it.rig.options.hold_timeout_http = 100ms;
  it.rig.start();
  it.rig.no_leader(1);
  auto client = it.rig.client();
  client->send(get("/v1/a"));
  REQUIRE(it.until_held());
  it.rig.advance(100ms);
  CHECK(it.line().end == "sQ");
  CHECK(it.line().record.outcome == Outcome::kUnserved);
  CHECK(it.line().record.status == 503);
  CHECK(it.line().record.held >= 100ms);
}

TEST_CASE("a full hold ends the request as PQ", "[proxy][http][log]") {
  LoggedRig it;
  it.rig.options.hold_max = 0;
  it.rig.start();
  it.rig.no_leader(1);
  auto client = it.rig.client();
  client->send(get("/v1/a"));
  CHECK(it.line().end == "PQ");
}

TEST_CASE("an answer that stands still for too long ends the request as sD, by the node", "[proxy][http][log]") {
  LoggedRig it;
  it.rig.options.timeout_idle = 100ms;
  it.one.answer = [](const Seen&, Peer&) { return std::string(kThreeOfTen); };
  it.start();
  auto client = it.rig.client();
  client->send(get("/v1/a"));
  REQUIRE(it.until_has(*client, "abc"));
  it.rig.advance(100ms - Duration(1));
  CHECK(it.rig.requests.empty());
  it.rig.advance(Duration(1));
  CHECK(it.line().end == "sD");
  CHECK(it.line().record.outcome == Outcome::kCut);
}

TEST_CASE("a client that does not take its answer for too long ends the request by itself", "[proxy][http][log]") {
  LoggedRig it;
  std::string body;
  body.resize(20'000'000, 'x');
  const std::string big = HttpNode::ok(body);
  it.rig.options.timeout_idle = 1s;
  it.one.answer = [&](const Seen&, Peer&) { return big; };
  it.start();
  auto client = it.rig.client();
  client->pause_reading(true);
  client->send(get("/v1/a"));
  REQUIRE(it.until_seen(it.one));
  it.rig.advance(1s - Duration(1));
  CHECK(it.rig.requests.empty());
  it.rig.advance(Duration(1));
  CHECK(it.line().end == "cD");
  CHECK(it.line().record.bytes_down < 20'000'000);
}

TEST_CASE("a head that takes too long is told as cR, and is no request", "[proxy][http][log]") {
  LoggedRig it;
  it.rig.options.timeout_header = 100ms;
  it.start();
  auto client = it.rig.client();
  client->send("GET /v1/a HTT");
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().sessions_now == 1; }));
  it.rig.advance(100ms);
  CHECK(it.line().end == "cR");
  CHECK(it.line().rejected == "header_timeout");
  CHECK(it.line().record.status == 408);
  CHECK(it.line().method.empty());
  CHECK(it.counts().requests_total == 0);
}

TEST_CASE("a request that is not valid is told as PR, with the reason", "[proxy][http][log]") {
  LoggedRig it;
  it.start();
  auto client = it.rig.client();
  client->send("GET /v1/a HTTP/1.1\r\nX-Vault-Token: t\r\n\r\n");
  CHECK(it.line().end == "PR");
  CHECK(it.line().record.outcome == Outcome::kRejected);
  CHECK(it.line().rejected == http::to_text(http::Reject::kHost));
  CHECK(it.line().record.status == 400);
  CHECK(adds_up(it.counts()));
}

TEST_CASE("a body that is not valid is told as PR too, and counted once", "[proxy][http][log]") {
  LoggedRig it;
  it.start();
  auto client = it.rig.client();
  client->send("PUT /v1/a HTTP/1.1\r\nHost: v\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
  CHECK(it.line().end == "PR");
  CHECK(it.line().rejected == http::to_text(http::Reject::kChunk));
  CHECK(adds_up(it.counts()));
  CHECK(it.counts().requests_total == 1);
}

TEST_CASE("a request that was sent twice says so, names the second node and how long it waited", "[proxy][http][log]") {
  LoggedRig it;
  it.one.answer = [](const Seen&, Peer&) {
    return HttpNode::error(500, "local node not active but active cluster node not found");
  };
  it.start();
  auto client = it.rig.client();
  client->send(put("/v1/a", "x"));
  REQUIRE(it.until_held());
  it.rig.advance(5ms);
  it.rig.lead(2, it.n2);
  CHECK(it.line().end == "--");
  CHECK(it.line().record.sends == 2);
  CHECK(it.line().record.node == it.n2);
  CHECK(it.line().record.epoch == 2);
  CHECK(it.line().record.held == 5ms);
  CHECK(it.counts().resent == 1);
  CHECK(it.counts().held == 1);
}

TEST_CASE("what is under way when we end is told as ended by us, and never as ok", "[proxy][http][log]") {
  LoggedRig it;
  it.one.answer = [](const Seen&, Peer&) { return std::string(); };
  it.start();
  auto asked = it.rig.client();
  asked->send(get("/v1/asked"));
  REQUIRE(it.until_seen(it.one));
  it.rig.no_leader(1);
  auto held = it.rig.client();
  held->send(put("/v1/held", "x"));
  REQUIRE(it.until_held());
  it.rig.proxy.reset();
  REQUIRE(it.rig.until([&] { return it.rig.requests.size() == 2; }));
  for (const ToldRequest& told : it.rig.requests) {
    const bool was_asked = told.method == "GET";
    CHECK(told.end == (was_asked ? "LH" : "LQ"));
    CHECK(told.record.outcome == (was_asked ? Outcome::kAmbiguous : Outcome::kUnserved));
  }
}

TEST_CASE("what is withheld when we end, connected and unsent, is told as unserved", "[proxy][http][log]") {
  LoggedRig it;
  net::testing::MuteListener node(*it.rig.loop);
  it.rig.options.nodes[0].address = node.listener.address();
  it.rig.options.nodes[0].is_tls = true;
  it.rig.options.node_tls = net::testing::client_tls();
  it.rig.options.nodes[0].server_name = "localhost";
  it.start();
  auto client = it.rig.client();
  client->send(put("/v1/a", "x"));
  REQUIRE(it.rig.until([&] { return node.accepted.size() == 1; }));
  // From now on nothing may be sent, and the connection is open.
  it.rig.proxy->require_claim_since(it.rig.loop->precise_now());
  net::testing::End end;
  end.stream = net::Stream::accept(*it.rig.loop, std::move(node.accepted[0]), net::testing::server_tls(), 10s, end);
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().nodes.at(it.n1).connects == 1; }));
  it.rig.proxy.reset();
  CHECK(it.line().end == "LH");
  CHECK(it.line().record.outcome == Outcome::kUnserved);
  CHECK(end.received.empty());
}

TEST_CASE("sessions of http listeners are told too", "[proxy][http][log]") {
  HttpRig it;
  it.rig.options.log_sessions = true;
  it.start();
  auto client = it.rig.client();
  client->send(get("/v1/a") + get("/v1/b"));
  REQUIRE(it.until_has(*client, "GET /v1/b"));
  client->close();
  REQUIRE(it.rig.until([&] { return it.rig.records.size() == 1; }));
  const SessionRecord& told = it.rig.records[0];
  CHECK(std::string(told.end) == "--");
  CHECK(told.node == it.n1);
  CHECK(told.bytes_down == client->received.size());
  CHECK(told.bytes_up > 0);
  CHECK(told.client.starts_with("127.0.0.1:"));
}

TEST_CASE("redirects are told as requests", "[proxy][redirect][log]") {
  Rig rig;
  rig.options.listeners[0].mode = Mode::kRedirect;
  rig.options.log_requests = rig.options.log_paths = true;
  const NodeId n1 = rig.add_node(*net::Address::parse("127.0.0.1:1"), "https://vault1.example.com:8200");
  rig.start();
  rig.lead(1, n1);
  auto client = rig.client();
  client->send(get("/v1/a?b"));
  REQUIRE(rig.until([&] { return rig.requests.size() == 1; }));
  CHECK(rig.requests[0].record.status == 307);
  CHECK(rig.requests[0].record.node == n1);
  CHECK(rig.requests[0].path == "/v1/a");
  CHECK(rig.requests[0].end == "--");
}

}  // namespace bellwether::proxy
