#include "bellwether/net/tls.h"
#include "component/proxy/http_rig.h"
#include "support/paths.h"

namespace bellwether::proxy {
namespace {

using Context = std::shared_ptr<net::TlsContext>;

std::string cert(const std::string& file) { return testing::cert_path(file); }

Context to_clients() {
  return *net::TlsContext::server({.cert_file = cert("server.pem"), .key_file = cert("server.key")});
}
Context to_nodes() { return *net::TlsContext::client({.ca_file = cert("ca.pem")}); }

}  // namespace

TEST_CASE("certificates that were replaced are not kept where no connection uses them", "[proxy][tls]") {
  Rig rig;
  rig.options.threads = 2;
  rig.options.listeners[0].mode = Mode::kHttp;
  rig.options.listeners[0].tls = to_clients();
  rig.add_node(*net::Address::parse("127.0.0.1:1"));
  rig.options.nodes[0].is_tls = true;
  rig.options.node_tls = to_nodes();
  const std::weak_ptr<net::TlsContext> first_to_clients = rig.options.listeners[0].tls;
  const std::weak_ptr<net::TlsContext> first_to_nodes = rig.options.node_tls;
  rig.start();
  rig.proxy->renew_client_tls(rig.options.listeners[0].tls, to_clients());
  rig.options.listeners[0].tls.reset();
  rig.options.node_tls.reset();
  REQUIRE(rig.proxy->set_node_tls(to_nodes()));
  CHECK(rig.until([&] { return first_to_clients.expired() && first_to_nodes.expired(); }));
}

TEST_CASE("a redirect to the address that the leader had before, now another node's, is none to itself",
          "[proxy][http]") {
  HttpRig it;
  HttpNode new_place(*it.rig.loop);
  const std::string old_place = it.one.backend.address().to_string();
  it.start();
  it.rig.proxy->set_address(it.n1, new_place.backend.address());
  it.rig.proxy->set_address(it.n2, it.one.backend.address());
  auto client = it.rig.client();
  REQUIRE(it.rig.until([&] {
    client->received.clear();
    client->send(get("/v1/cubbyhole/where"));
    REQUIRE(it.until_has(*client, "/v1/cubbyhole/where"));
    return !new_place.seen.empty();
  }));
  new_place.answer = [&](const Seen&, Peer&) {
    return "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://" + old_place +
           "/v1/cubbyhole/a\r\nContent-Length: 0\r\n\r\n";
  };
  client->send(put("/v1/cubbyhole/a", "x"));
  const auto judged = [&](vault::Row row) { return it.counts().rows[static_cast<std::size_t>(row)]; };
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().held_now == 1; }));
  CHECK(judged(vault::Row::kRedirected) == 1);
  CHECK(judged(vault::Row::kRedirectedToItself) == 0);
  it.rig.lead(2, it.n2);
  REQUIRE(it.until_has(*client, "PUT /v1/cubbyhole/a"));
}

}  // namespace bellwether::proxy
