#include "proxy/redirect/location.h"

#include "catch.hpp"

namespace bellwether::proxy {

namespace {

std::vector<net::Address> listening(const char* address) { return {*net::Address::parse(address)}; }

bool leads_back(const char* url, const char* host, const std::vector<net::Address>& own) {
  return points_to_us(*host_port_of_url(url), parse_host_port(host, 80), own);
}

}  // namespace

TEST_CASE("a location keeps path and query byte for byte", "[proxy]") {
  CHECK(location_for("https://v1:8200", "/v1/kv//a%2Fb?x=%20&y") == "https://v1:8200/v1/kv//a%2Fb?x=%20&y");
  CHECK(location_for("https://v1:8200/", "/v1/x") == "https://v1:8200/v1/x");
}

TEST_CASE("of an absolute target only path and query are used", "[proxy]") {
  CHECK(location_for("https://v1", "http://other:1/v1/x?q") == "https://v1/v1/x?q");
  CHECK(location_for("https://v1", "HTTPS://other") == "https://v1/");
  CHECK(location_for("https://v1", "http://other?q=1") == "https://v1/?q=1");
}

TEST_CASE("a target without a path has no location", "[proxy]") {
  CHECK(!location_for("https://v1", "other:443"));
  CHECK(!location_for("https://v1", ""));
  CHECK(location_for("https://v1", "*") == "https://v1/");
}

TEST_CASE("hosts and ports are read with and without brackets and ports", "[proxy]") {
  CHECK(parse_host_port("V1.Example", 80) == HostPort{"v1.example", 80});
  CHECK(parse_host_port("v1:8200", 80) == HostPort{"v1", 8200});
  CHECK(parse_host_port("[::1]:8200", 80) == HostPort{"::1", 8200});
  CHECK(parse_host_port("[::1]", 80) == HostPort{"::1", 80});
  CHECK(!parse_host_port("v1:port", 80));
  CHECK(!parse_host_port("v1:70000", 80));
  CHECK(!parse_host_port("[::1", 80));
  CHECK(!parse_host_port("", 80));
  CHECK(host_port_of_url("https://v1/path") == HostPort{"v1", 443});
  CHECK(host_port_of_url("http://v1") == HostPort{"v1", 80});
  CHECK(!host_port_of_url("ftp://v1"));
}

TEST_CASE("a redirect to what the client asked already is a loop", "[proxy]") {
  CHECK(leads_back("https://Vault.Example:8200/x", "vault.example:8200", listening("10.0.0.1:9000")));
  CHECK(leads_back("http://vault.example/x", "vault.example", listening("10.0.0.1:9000")));
  CHECK(!leads_back("https://vault.example/x", "vault.example", listening("10.0.0.1:9000")));
}

TEST_CASE("a redirect to one of our listeners is a loop", "[proxy]") {
  CHECK(leads_back("http://10.0.0.1:9000", "name:1", listening("10.0.0.1:9000")));
  CHECK(leads_back("http://localhost:9000", "name:1", listening("127.0.0.1:9000")));
  CHECK(leads_back("http://127.0.0.1:9000", "name:1", listening("0.0.0.0:9000")));
  CHECK(leads_back("http://[::1]:9000", "name:1", listening("[::]:9000")));
  CHECK(!leads_back("http://10.0.0.1:9001", "name:1", listening("10.0.0.1:9000")));
  CHECK(!leads_back("http://10.0.0.2:9000", "name:1", listening("0.0.0.0:9000")));
}

}  // namespace bellwether::proxy
