#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "bellwether/net/certificate.h"
#include "component/net/stream_pair.h"

// A server with several certificates, and who may resume whose session.

using namespace bellwether;
using namespace bellwether::net;
using namespace bellwether::net::testing;

namespace {

CertificateFiles files(const std::string& name) { return {cert(name + ".pem"), cert(name + ".key")}; }

std::shared_ptr<TlsContext> two_certificates() {
  return server_tls("common", {.more_certificates = {files("internal")}});
}

// Whether a client that asks for `name` gets a certificate that it takes for that.
std::string refusal_for(const std::shared_ptr<TlsContext>& server, const std::string& name) {
  Pair pair(server);
  pair.connect({.tls = client_tls(), .server_name = name});
  REQUIRE(pair.until([&] { return (pair.client.opened && pair.server.opened) || pair.client.broken; }));
  return pair.client.broken ? pair.client.broken->message : "";
}

}  // namespace

TEST_CASE("each name of several certificates is answered by its own", "[net][tls]") {
  const auto server = two_certificates();
  CHECK(refusal_for(server, "vault.test").empty());
  CHECK(refusal_for(server, "internal.test").empty());
  CHECK(refusal_for(server, "INTERNAL.test").empty());
  CHECK(refusal_for(server, "a.internal.test").empty());
  // Who asks for another name, or by an address, which is never sent, is shown the first one.
  CHECK_THAT(refusal_for(server, "a.b.internal.test"), CATCH_CONTAINS("only for vault.test"));
  CHECK_THAT(refusal_for(server, "127.0.0.1"), CATCH_CONTAINS("only for vault.test"));
}

TEST_CASE("the certificate is chosen in TLS 1.2 too", "[net][tls]") {
  const auto client = client_tls();
  SSL_CTX_set_max_proto_version(client->get(), TLS1_2_VERSION);
  Pair pair(two_certificates());
  pair.connect({.tls = client, .server_name = "a.internal.test"});
  CHECK(pair.both_open());
}

TEST_CASE("a certificate that no client would ever be shown is refused, with the files of both", "[net][tls]") {
  const auto refused = [](const std::string& first, const std::string& second) {
    const auto made = TlsContext::server(
        {.cert_file = cert(first + ".pem"), .key_file = cert(first + ".key"), .more_certificates = {files(second)}});
    return made ? std::string() : made.error().message;
  };
  CHECK_THAT(refused("server", "common"), CATCH_CONTAINS("server.pem and ") && CATCH_CONTAINS("common.pem") &&
                                              CATCH_CONTAINS("the same names (vault.test)"));
  CHECK_THAT(refused("server", "cn-only"), CATCH_CONTAINS("cn-only.pem has no DNS name"));
  CHECK(refused("common", "server").empty());
}

TEST_CASE("all certificates have their key, and their end is known", "[net][tls]") {
  const auto made = TlsContext::server({.cert_file = cert("server.pem"),
                                        .key_file = cert("server.key"),
                                        .more_certificates = {{cert("internal.pem"), cert("server.key")}}});
  REQUIRE_FALSE(made);
  CHECK_THAT(made.error().message, CATCH_CONTAINS("server.key"));
  const auto server = server_tls("internal", {.more_certificates = {files("expired")}});
  const WallTime now = std::chrono::system_clock::now();
  const auto own = own_certificates(*server, now);
  REQUIRE(own.size() == 2);
  CHECK(own[0].file == cert("internal.pem"));
  CHECK_FALSE(own[0].problem);
  CHECK(own[1].problem);
  CHECK(server->not_after() == own[1].not_after);
  CHECK_THAT(validity_problem(*server, now).value(), CATCH_CONTAINS("expired.pem expired on 2020"));
}

TEST_CASE("a session is not resumed at another listener, whatever certificates both have", "[net][tls]") {
  const auto with_clients = GENERATE(false, true);
  const auto version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const auto server = server_tls("server", {.client_ca_file = with_clients ? cert("ca.pem") : std::string()});
  const auto client = client_tls("ca.pem", "client");
  SSL_CTX_set_max_proto_version(client->get(), version);
  const auto loop = make_loop();
  std::uint32_t scope = 1;
  End there;
  auto socket = bind_listener(*Address::parse("127.0.0.1:0"), {});
  REQUIRE(socket);
  Listener listener(*loop, std::move(*socket), [&](Socket accepted, const Address&) {
    there.stream = Stream::accept(*loop, std::move(accepted), server, 10s, there, scope);
  });
  const auto is_resumed = [&] {
    End here;
    there = End();
    there.to_send = "hi";
    here.stream = Stream::connect(*loop, listener.address(), {.tls = client, .server_name = "vault.test"}, here);
    REQUIRE(loop->run_until([&] { return here.received == "hi"; }, 20s));
    return here.stream->tls_resumed();
  };
  CHECK_FALSE(is_resumed());
  CHECK(is_resumed());
  scope = 2;
  CHECK_FALSE(is_resumed());
  CHECK(is_resumed());
}
