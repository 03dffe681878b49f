#include "net/tls/server_names.h"

#include "catch.hpp"

using namespace bellwether;
using net::ServerNames;

TEST_CASE("a client is shown the certificate of the name that it asks for", "[net][tls]") {
  ServerNames names;
  CHECK(names.add(0, {"vault.example.com"}) == 1);
  CHECK(names.add(1, {"*.Example.com", "example.com"}) == 2);
  CHECK(names.add(2, {"bao.example.com", "vault.example.com"}) == 1);
  CHECK(names.find("vault.example.com") == 0);
  CHECK(names.find("VAULT.example.COM.") == 0);
  CHECK(names.find("other.example.com") == 1);
  CHECK(names.find("example.com") == 1);
  // The very name comes before a "*", wherever they stand.
  CHECK(names.find("bao.example.com") == 2);
  CHECK(names.owner_of("Vault.example.com") == 0);
}

TEST_CASE("a * stands for the leftmost label, and for one only", "[net][tls]") {
  ServerNames names;
  names.add(0, {"*.example.com"});
  CHECK(names.find("a.example.com") == 0);
  for (const char* const other : {"a.b.example.com", "example.com", ".example.com", "*.example.com", "com", "", "."}) {
    INFO(other);
    CHECK(names.find(other) == std::nullopt);
  }
}

TEST_CASE("a certificate whose names others have brings none", "[net][tls]") {
  ServerNames names;
  names.add(0, {"a.test", "b.test"});
  CHECK(names.add(1, {"B.test"}) == 0);
  CHECK(names.add(2, {}) == 0);
  CHECK(names.find("b.test") == 0);
}
