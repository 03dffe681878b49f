#include "bellwether/vault/retry.h"
#include "component/proxy/http_rig.h"

namespace bellwether::proxy {
namespace {

const std::string kNotActive = "local node not active but active cluster node not found";
constexpr std::string_view kQuestion = "/v1/sys/internal/ui/mounts/";

std::string mount(std::string_view path, std::string_view type) {
  return HttpNode::ok(R"({"data":{"path":")" + std::string(path) + R"(","type":")" + std::string(type) +
                      R"(","running_sha256":""}})");
}

// The first node refuses what it is asked as a standby of OpenBao 2.6 does, which may have acted before. The second
// tells what `about_mount` says of mounts, and does the rest.
struct RefusedRig : HttpRig {
  RefusedRig() {
    rig.node_version = "2.6.2";
    one.answer = [this](const Seen&, Peer&) { return refusal; };
    two.answer = [this](const Seen& asked, Peer& peer) {
      return asked.line.find(kQuestion) == std::string::npos ? HttpNode::ok(asked.line) : about_mount(asked, peer);
    };
  }
  // After the refusal, the second node leads.
  void send_and_change_leader(Peer& client, const std::string& request, std::uint64_t epoch = 2) {
    client.send(request);
    REQUIRE(rig.until([&] { return rig.proxy->counts().held_now == 1 || !client.received.empty(); }));
    rig.lead(epoch, n2);
  }
  [[nodiscard]] std::size_t questions() const {
    return static_cast<std::size_t>(std::count_if(two.seen.begin(), two.seen.end(), [](const Seen& seen) {
      return seen.line.find(kQuestion) != std::string::npos;
    }));
  }
  [[nodiscard]] std::uint64_t judged(vault::Row row) const { return counts().rows[static_cast<std::size_t>(row)]; }

  std::string refusal = HttpNode::error(500, kNotActive);
  std::function<std::string(const Seen&, Peer&)> about_mount = [](const Seen&, Peer&) { return mount("m/", "kv"); };
};

}  // namespace

TEST_CASE("what was refused goes to the new leader once that has said that its mount is only storage",
          "[proxy][http][mount]") {
  RefusedRig it;
  SECTION("not active") {}
  SECTION("sealed") { it.refusal = HttpNode::error(503, "Vault is sealed"); }
  SECTION("redirected") {
    it.refusal = "HTTP/1.1 307 Temporary Redirect\r\nLocation: https://other/v1/m/a\r\nContent-Length: 0\r\n\r\n";
  }
  it.start();
  auto client = it.rig.client();
  it.send_and_change_leader(*client, put("/v1/m/a", "once"));
  REQUIRE(it.until_has(*client, "PUT /v1/m/a"));
  REQUIRE(it.two.seen.size() == 2);
  CHECK(it.two.seen[0].line == "GET /v1/sys/internal/ui/mounts/m/a HTTP/1.1");
  CHECK(it.two.seen[0].head.find("X-Vault-Token: t\r\n") != std::string::npos);
  CHECK(it.two.seen[1].body == "once");
  CHECK(it.one.seen.size() == 1);
  CHECK(it.judged(vault::Row::kUnknownMount) == 1);
  CHECK(it.counts().ok == 1);
  // What was learned serves others.
  it.refusal = HttpNode::error(500, kNotActive);
  it.rig.lead(3, it.n1);
  auto other = it.rig.client();
  it.send_and_change_leader(*other, put("/v1/m/b", "x"), 4);
  REQUIRE(it.until_has(*other, "PUT /v1/m/b"));
  CHECK(it.questions() == 1);
}

TEST_CASE("what was refused is not sent again if its mount may have touched more than storage",
          "[proxy][http][mount]") {
  RefusedRig it;
  std::string request = put("/v1/m/a", "x");
  std::size_t questions = 1;
  SECTION("another engine") {
    it.about_mount = [](const Seen&, Peer&) { return mount("m/", "database"); };
  }
  SECTION("no access") {
    it.about_mount = [](const Seen&, Peer&) { return HttpNode::error(403, "permission denied"); };
  }
  SECTION("no mount of this path") {
    it.about_mount = [](const Seen&, Peer&) { return mount("n/", "kv"); };
  }
  SECTION("no description") {
    it.about_mount = [](const Seen&, Peer&) { return HttpNode::ok("{}"); };
  }
  SECTION("endless") {
    it.about_mount = [](const Seen&, Peer&) { return HttpNode::ok(std::string(1024 * 1024, ' ')); };
  }
  SECTION("no answer that is HTTP, ever") {
    it.about_mount = [](const Seen&, Peer&) { return std::string("nonsense\r\n\r\n"); };
    questions = 5;
  }
  SECTION("it ends the connection, ever") {
    it.about_mount = [](const Seen&, Peer& peer) {
      peer.abort();
      return std::string();
    };
    questions = 5;
  }
  it.start();
  auto client = it.rig.client();
  it.send_and_change_leader(*client, request);
  REQUIRE(it.advance_until_has(*client, "may have carried out a part"));
  CHECK(client->received.starts_with("HTTP/1.1 502 "));
  CHECK(it.two.seen.size() == questions);
  CHECK(it.counts().ambiguous == 1);
  CHECK(it.judged(vault::Row::kMaybeActed) == 1);
  CHECK(it.rig.proxy->counts().held_now == 0);
}

TEST_CASE("what may have been executed is told as such if we end while its mount is unknown", "[proxy][http][mount]") {
  RefusedRig it;
  it.rig.options.log_requests = true;
  it.start();
  auto client = it.rig.client();
  client->send(put("/v1/m/a", "x"));
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().held_now == 1; }));
  it.rig.proxy.reset();
  REQUIRE(it.rig.until([&] { return it.rig.requests.size() == 1; }));
  CHECK(it.rig.requests[0].record.outcome == Outcome::kAmbiguous);
  CHECK(it.rig.requests[0].end == "LQ");
}

TEST_CASE("a login that was refused is not sent again, whatever Connection hides", "[proxy][http][mount]") {
  RefusedRig it;
  std::string request;
  SECTION("by its path") { request = put("/v1/auth/radius/login/ann", "x"); }
  SECTION("without a token") { request = "PUT /v1/m/a HTTP/1.1\r\nHost: v\r\nContent-Length: 1\r\n\r\nx"; }
  SECTION("with a token that is not passed on") {
    request =
        "PUT /v1/cubbyhole/a HTTP/1.1\r\nHost: v\r\nX-Vault-Token: t\r\nConnection: x-vault-token\r\n"
        "Content-Length: 1\r\n\r\nx";
  }
  SECTION("that comes along with another request") {
    request =
        "GET /v1/m/a HTTP/1.1\r\nHost: v\r\nX-Vault-Token: t\r\nX-Vault-Inline-Auth-Path: auth/radius/login/a\r\n\r\n";
  }
  it.start();
  auto client = it.rig.client();
  it.send_and_change_leader(*client, request);
  REQUIRE(it.until_has(*client, "may have carried out a part"));
  CHECK(client->received.starts_with("HTTP/1.1 502 "));
  CHECK(it.one.seen.size() == 1);
  CHECK(it.two.seen.empty());
}

TEST_CASE("where a standby refuses before it acts, a login is sent again", "[proxy][http][mount]") {
  RefusedRig it;
  it.rig.node_version = "2.4.4";
  it.start();
  auto client = it.rig.client();
  it.send_and_change_leader(*client, put("/v1/auth/radius/login/ann", "x"));
  REQUIRE(it.until_has(*client, "200 OK"));
  CHECK(it.two.seen.size() == 1);
}

TEST_CASE("of a node of an unknown version a refusal proves nothing", "[proxy][http][mount]") {
  RefusedRig it;
  it.rig.node_version = "";
  it.start();
  auto client = it.rig.client();
  it.send_and_change_leader(*client, put("/v1/cubbyhole/a", "x"));
  REQUIRE(it.until_has(*client, "may have carried out a part"));
  CHECK(it.two.seen.empty());
}

TEST_CASE("a question about a mount that gets no answer is asked of the next leader", "[proxy][http][mount]") {
  RefusedRig it;
  bool is_asked = false;
  it.about_mount = [&](const Seen&, Peer&) {
    is_asked = true;
    return std::string();
  };
  it.start();
  auto client = it.rig.client();
  it.send_and_change_leader(*client, put("/v1/m/a", "x"));
  REQUIRE(it.rig.until([&] { return is_asked; }));
  it.one.answer = [](const Seen& asked, Peer&) {
    return asked.line.find(kQuestion) == std::string::npos ? HttpNode::ok(asked.line) : mount("m/", "kv");
  };
  it.rig.lead(3, it.n1);
  REQUIRE(it.advance_until_has(*client, "PUT /v1/m/a"));
  CHECK(it.questions() == 1);
}

TEST_CASE("a client that waits for its mount in vain is told that its request may have been executed",
          "[proxy][http][mount]") {
  RefusedRig it;
  it.rig.options.hold_timeout_http = 200ms;
  it.about_mount = [](const Seen&, Peer&) { return std::string(); };
  it.start();
  auto client = it.rig.client();
  client->send(put("/v1/m/a", "x"));
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().held_now == 1; }));
  SECTION("the new leader says nothing") { it.rig.lead(2, it.n2); }
  SECTION("there is no new leader") { it.rig.no_leader(1); }
  REQUIRE(it.advance_until_has(*client, "may have carried out a part"));
  CHECK(client->received.starts_with("HTTP/1.1 502 "));
  CHECK(it.rig.proxy->counts().held_now == 0);
}

TEST_CASE("a client that leaves while its mount is asked for leaves nothing behind", "[proxy][http][mount]") {
  RefusedRig it;
  bool is_asked = false;
  it.about_mount = [&](const Seen&, Peer&) {
    is_asked = true;
    return std::string();
  };
  it.start();
  auto client = it.rig.client();
  it.send_and_change_leader(*client, put("/v1/m/a", "x"));
  REQUIRE(it.rig.until([&] { return is_asked; }));
  client->abort();
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().sessions_now == 0; }));
  CHECK(it.rig.until([&] { return it.two.backend.peers.back()->is_over(); }));
  CHECK(it.rig.proxy->counts().held_now == 0);
}

}  // namespace bellwether::proxy
