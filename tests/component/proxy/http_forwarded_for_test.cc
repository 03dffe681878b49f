#include "component/proxy/http_rig.h"

namespace bellwether::proxy {
namespace {

constexpr const char* kAsked =
    "GET /v1/a HTTP/1.1\r\nHost: v\r\nX-Forwarded-For: 203.0.113.7\r\nx-forwarded-for: 10.1.1.1\r\n\r\n";

// The head as the node got it.
std::string seen_from(HttpRig& it) {
  it.start();
  auto client = it.rig.client();
  client->send(kAsked);
  REQUIRE(it.until_has(*client, "200 OK"));
  return it.one.seen.at(0).head;
}

std::vector<IpRange> ranges(std::string_view text) { return {IpRange::parse(text).value()}; }

}  // namespace

TEST_CASE("what a client says in X-Forwarded-For is dropped, and its own address put there", "[proxy][http]") {
  HttpRig it;
  it.rig.options.forwarded_for_trusted = ranges("10.0.0.0/8");
  const std::string head = seen_from(it);
  CHECK_THAT(head, CATCH_CONTAINS("\r\nX-Forwarded-For: 127.0.0.1\r\n"));
  CHECK(head.find("203.0.113.7") == std::string::npos);
}

TEST_CASE("what a trusted proxy says there is kept, before its own address", "[proxy][http]") {
  HttpRig it;
  it.rig.options.forwarded_for_trusted = ranges("127.0.0.0/8");
  CHECK_THAT(seen_from(it), CATCH_CONTAINS("\r\nX-Forwarded-For: 203.0.113.7, 10.1.1.1, 127.0.0.1\r\n"));
}

TEST_CASE("an IPv4 client of an IPv6 listener is trusted by its IPv4 address, and told by it", "[proxy][http]") {
  HttpRig it;
  it.rig.options.listeners[0].address = *net::Address::parse("[::]:0");
  it.rig.options.forwarded_for_trusted = ranges("127.0.0.1");
  it.start();
  auto client =
      Peer::dial(*it.rig.loop, net::Address::parse("127.0.0.1:0")->with_port(it.rig.proxy->addresses()[0].port()));
  client->send(kAsked);
  REQUIRE(it.until_has(*client, "200 OK"));
  CHECK_THAT(it.one.seen.at(0).head, CATCH_CONTAINS("X-Forwarded-For: 203.0.113.7, 10.1.1.1, 127.0.0.1\r\n"));
}

TEST_CASE("where nodes are not told the client's address, strangers' words are dropped all the same", "[proxy][http]") {
  HttpRig it;
  it.rig.options.forwarded_for = false;
  CHECK(seen_from(it).find("orwarded") == std::string::npos);
}

}  // namespace bellwether::proxy
