#include <openssl/ssl.h>

#include "component/net/short_lived_certificate.h"

using namespace bellwether;
using namespace bellwether::net;
using namespace bellwether::net::testing;

namespace {

enum class Opened : std::uint8_t { kFull, kResumed, kRefused };

// One connection, until the client has been told something: by then it has its ticket.
Opened connect_once(Pair& pair, const std::shared_ptr<TlsContext>& tls) {
  pair.client = End();
  pair.server = End();
  pair.server.to_send = "hi";
  pair.connect({.tls = tls, .server_name = "localhost"});
  REQUIRE(pair.until([&] { return pair.client.received == "hi" || pair.client.over() || pair.server.over(); }));
  if (pair.client.received != "hi") return Opened::kRefused;
  return pair.client.stream->tls_resumed() ? Opened::kResumed : Opened::kFull;
}

// Connects over and over: each time the last ticket is used, and a new one given. Not at once each time, for every
// connection takes a port of this machine for a minute.
Opened first_not_resumed(Pair& pair, const std::shared_ptr<TlsContext>& tls) {
  const TimePoint give_up = pair.loop->precise_now() + 20s;
  Opened last = Opened::kResumed;
  while (last == Opened::kResumed && pair.loop->precise_now() < give_up) {
    const TimePoint next = pair.loop->precise_now() + 20ms;
    Timer pause(*pair.loop, [] {});
    pause.arm_at(next);
    REQUIRE(pair.until([&] { return pair.loop->precise_now() >= next; }));
    last = connect_once(pair, tls);
  }
  return last;
}

std::shared_ptr<TlsContext> speaking(std::shared_ptr<TlsContext> client, int version) {
  SSL_CTX_set_max_proto_version(client->get(), version);
  return client;
}

}  // namespace

TEST_CASE("a session is resumed for its lifetime, however often it is renewed", "[net][tls][lifetime]") {
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  Pair pair(server_tls("server", {.ticket_lifetime = 2s}));
  const auto tls = speaking(client_tls(), version);
  REQUIRE(connect_once(pair, tls) == Opened::kFull);
  CHECK(connect_once(pair, tls) == Opened::kResumed);
  CHECK(first_not_resumed(pair, tls) == Opened::kFull);
  CHECK(connect_once(pair, tls) == Opened::kResumed);
}

TEST_CASE("a session with a node is resumed for its lifetime as well", "[net][tls][lifetime]") {
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  Pair pair(server_tls());
  auto tls = TlsContext::client({.ca_file = cert("ca.pem"), .ticket_lifetime = 1s}).value();
  if (GENERATE(false, true)) tls = tls->twin().value();
  tls = speaking(tls, version);
  REQUIRE(connect_once(pair, tls) == Opened::kFull);
  CHECK(connect_once(pair, tls) == Opened::kResumed);
  CHECK(first_not_resumed(pair, tls) == Opened::kFull);
}

TEST_CASE("a ticket whose end comes while it is made refuses nobody", "[net][tls][lifetime]") {
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  Pair pair(server_tls("server", {.ticket_lifetime = 1ms}));
  const auto tls = speaking(client_tls(), version);
  for (int i = 0; i < 3; ++i) CHECK(connect_once(pair, tls) == Opened::kFull);
}

TEST_CASE("without a lifetime nothing is resumed", "[net][tls][lifetime]") {
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const bool at_server = GENERATE(false, true);
  Pair pair(server_tls("server", {.ticket_lifetime = at_server ? Duration::zero() : 1h}));
  const auto tls = speaking(
      TlsContext::client({.ca_file = cert("ca.pem"), .ticket_lifetime = at_server ? 1h : Duration::zero()}).value(),
      version);
  for (int i = 0; i < 3; ++i) CHECK(connect_once(pair, tls) == Opened::kFull);
}

TEST_CASE("a client whose certificate has expired does not come in by a ticket", "[net][tls][lifetime]") {
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const ShortLivedCertificate own(3);
  Pair pair(server_tls("server", {.client_ca_file = cert("ca.pem"), .require_client_cert = true}));
  const auto tls = speaking(TlsContext::client({.ca_file = cert("ca.pem"), .cert_file = own.file()}).value(), version);
  REQUIRE(connect_once(pair, tls) == Opened::kFull);
  CHECK(connect_once(pair, tls) == Opened::kResumed);
  CHECK(first_not_resumed(pair, tls) == Opened::kRefused);
  // That one may have met the very end of the certificate, in the middle of its handshake.
  CHECK(connect_once(pair, tls) == Opened::kRefused);
  REQUIRE(pair.until([&] { return pair.server.broken.has_value(); }));
  CHECK_THAT(pair.server.broken->message, CATCH_CONTAINS("expired"));
}

TEST_CASE("a ticket does not bring in a client that the new client CA refuses", "[net][tls][lifetime]") {
  Pair pair(server_tls("server", {.client_ca_file = cert("ca.pem"), .require_client_cert = true}));
  const auto tls = client_tls("ca.pem", "client");
  REQUIRE(connect_once(pair, tls) == Opened::kFull);
  REQUIRE(connect_once(pair, tls) == Opened::kResumed);
  pair.server_context = server_tls("server", {.client_ca_file = cert("other-ca.pem"), .require_client_cert = true});
  CHECK(connect_once(pair, tls) == Opened::kRefused);
}
