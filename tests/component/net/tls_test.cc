#include "bellwether/net/tls.h"

#include <openssl/ssl.h>
#include <unistd.h>

#include <fstream>

#include "bellwether/net/certificate.h"
#include "component/net/stream_pair.h"

using namespace bellwether;
using namespace bellwether::net;
using namespace bellwether::net::testing;

namespace {

// Connects and returns the client's error text; empty if both sides opened.
std::string refusal(Pair& pair, ConnectOptions options) {
  pair.connect(std::move(options));
  const bool open = pair.both_open();
  return open ? "" : pair.client.broken ? pair.client.broken->message : "only the server broke";
}

std::string refusal_of(const std::string& server_cert, const std::string& server_name,
                       const std::string& ca = "ca.pem") {
  Pair pair(server_tls(server_cert));
  std::string text = refusal(pair, {.tls = client_tls(ca), .server_name = server_name});
  if (!text.empty()) {
    CHECK(pair.client.stream->failure() == StreamFailure::kTls);
    CHECK(pair.client.broken->kind == ErrorKind::kProtocol);
  }
  return text;
}

}  // namespace

TEST_CASE("names and addresses of the certificate are accepted", "[net][tls]") {
  for (const char* name : {"127.0.0.1", "::1", "localhost", "vault.test"}) {
    CAPTURE(name);
    CHECK(refusal_of("server", name).empty());
  }
  CHECK(refusal_of("common", "vault.test").empty());
}

TEST_CASE("a certificate for another name is refused, and the text has both names", "[net][tls]") {
  CHECK_THAT(refusal_of("server", "vault.example.com"),
             CATCH_CONTAINS("not valid for \"vault.example.com\", only for 127.0.0.1, ::1, localhost, vault.test"));
  CHECK_THAT(refusal_of("common", "127.0.0.1"), CATCH_CONTAINS("not valid for \"127.0.0.1\", only for vault.test"));
}

TEST_CASE("a certificate without subjectAltName is refused even if its common name fits", "[net][tls]") {
  CHECK_THAT(refusal_of("cn-only", "localhost"), CATCH_CONTAINS("no subjectAltName"));
}

TEST_CASE("a certificate of an unknown CA is refused, and the text names the issuer", "[net][tls]") {
  CHECK_THAT(refusal_of("server", "localhost", "other-ca.pem"),
             CATCH_CONTAINS("issued by CN=Bellwether test CA, which is not among the trusted CAs"));
}

TEST_CASE("an expired certificate is refused with its date", "[net][tls]") {
  CHECK_THAT(refusal_of("expired", "localhost"), CATCH_CONTAINS("expired on Jan  1 00:00:00 2020"));
}

TEST_CASE("without verification anything goes", "[net][tls]") {
  Pair pair(server_tls("expired"));
  CHECK(refusal(pair, {.tls = *TlsContext::client({.verify = false}), .server_name = "whatever"}).empty());
}

TEST_CASE("verification without a name to verify is refused before a byte is sent", "[net][tls]") {
  Pair pair(server_tls());
  pair.connect({.tls = client_tls()});
  REQUIRE(pair.until([&] { return pair.client.broken.has_value(); }));
  CHECK(pair.client.stream->failure() == StreamFailure::kTls);
}

TEST_CASE("one failed handshake does not disturb other connections of the thread", "[net][tls]") {
  Pair good(server_tls());
  good.server.echo = true;
  good.connect({.tls = client_tls(), .server_name = "localhost"});
  REQUIRE(good.both_open());
  CHECK_FALSE(refusal_of("cn-only", "localhost").empty());
  good.client.to_send = "still here";
  good.client.flush();
  CHECK(good.until([&] { return good.client.received == "still here"; }));
}

TEST_CASE("plain HTTP on a TLS port, and TLS on a plain port, are called so", "[net][tls]") {
  Pair pair(server_tls());
  pair.client.to_send = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  pair.connect();
  REQUIRE(pair.until([&] { return pair.server.broken.has_value(); }));
  CHECK_THAT(pair.server.broken->message, CATCH_CONTAINS("plain HTTP spoken on a TLS port"));
  CHECK(pair.server.stream->failure() == StreamFailure::kTls);

  Pair plain;
  plain.server.to_send = "HTTP/1.1 400 Bad Request\r\n\r\n";
  plain.connect({.tls = client_tls(), .server_name = "localhost"});
  REQUIRE(plain.until([&] { return plain.client.broken.has_value(); }));
  CHECK_THAT(plain.client.broken->message, CATCH_CONTAINS("does not speak TLS"));
}

TEST_CASE("a peer that goes away during the handshake closed it, one that says nothing times out", "[net][tls]") {
  Pair closing;
  closing.connect({.tls = client_tls(), .server_name = "localhost"});
  REQUIRE(closing.until([&] { return !closing.server.received.empty(); }));
  closing.server.stream->close();
  REQUIRE(closing.until([&] { return closing.client.broken.has_value(); }));
  CHECK(closing.client.stream->failure() == StreamFailure::kClosed);

  Pair silent;
  silent.connect({.tls = client_tls(), .server_name = "localhost", .timeout = 30ms});
  REQUIRE(silent.until([&] { return silent.client.broken.has_value(); }));
  CHECK(silent.client.stream->failure() == StreamFailure::kTimeout);
  CHECK_THAT(silent.client.broken->message, CATCH_CONTAINS("no TLS handshake within 30ms"));

  Pair waiting(server_tls());
  waiting.handshake_timeout = 30ms;
  waiting.connect();
  REQUIRE(waiting.until([&] { return waiting.server.broken.has_value(); }));
  CHECK(waiting.server.stream->failure() == StreamFailure::kTimeout);
}

TEST_CASE("TLS cut off without close_notify is told from an end", "[net][tls]") {
  Pair pair(server_tls());
  pair.connect({.tls = client_tls(), .server_name = "localhost"});
  REQUIRE(pair.both_open());
  // A FIN beneath the TLS.
  Pair other;
  const int fd = [&] {
    for (int candidate = 3;; ++candidate) {
      const auto name = Socket(::dup(candidate)).peer_address();
      if (name && *name == *pair.client.stream->local_address()) return candidate;
    }
  }();
  ::shutdown(fd, SHUT_WR);
  REQUIRE(pair.until([&] { return pair.client.over(); }));
  CHECK_FALSE(pair.client.eof);
  CHECK(pair.client.read_error == Stream::kTruncated);
  CHECK(pair.client.stream->failure() == StreamFailure::kClosed);
}

TEST_CASE("what a TLS peer said before it reset the connection is read after a write has failed", "[net][tls]") {
  Pair pair(server_tls());
  pair.server.reading = pair.client.reading = false;
  pair.connect({.tls = client_tls(), .server_name = "localhost"});
  REQUIRE(pair.both_open());
  pair.client.to_send.assign(32'000'000, 'x');  // more than the kernel takes
  pair.client.flush();
  pair.server.to_send = "early answer";
  pair.server.flush();
  pair.server.stream->abort();
  REQUIRE(pair.until([&] { return pair.client.stream->failure() != StreamFailure::kNone; }));
  CHECK_FALSE(pair.client.to_send.empty());
  pair.client.reading = true;
  pair.client.on_readable();
  REQUIRE(pair.until([&] { return pair.client.over() || !pair.client.received.empty(); }));
  CHECK(pair.client.received == "early answer");
}

TEST_CASE("client certificates are asked for, checked and refused", "[net][tls]") {
  const TlsServerOptions demanding{.client_ca_file = cert("ca.pem"), .require_client_cert = true};
  SECTION("the right one") {
    Pair pair(server_tls("server", demanding));
    CHECK(refusal(pair, {.tls = client_tls("ca.pem", "client"), .server_name = "localhost"}).empty());
  }
  SECTION("none") {
    Pair pair(server_tls("server", demanding));
    pair.connect({.tls = client_tls(), .server_name = "localhost"});
    REQUIRE(pair.until([&] { return pair.server.broken && pair.client.over(); }));
    CHECK_THAT(pair.server.broken->message, CATCH_CONTAINS("the client sent no certificate"));
    // TLS 1.3: the client believes itself connected and learns it with its first read.
    CHECK_THAT(pair.client.stream->error().message, CATCH_CONTAINS("requires a client certificate"));
    CHECK(pair.client.stream->failure() == StreamFailure::kTls);
  }
  SECTION("one of another CA") {
    Pair pair(server_tls("server", demanding));
    pair.connect({.tls = client_tls("ca.pem", "other-client"), .server_name = "localhost"});
    REQUIRE(pair.until([&] { return pair.server.broken.has_value(); }));
    CHECK_THAT(pair.server.broken->message, CATCH_CONTAINS("not among the trusted CAs"));
  }
}

TEST_CASE("a second connection resumes the first one's session, each ticket once", "[net][tls]") {
  TlsServerOptions with_clients{.client_ca_file = cert("ca.pem")};
  Pair pair(server_tls("server", with_clients));
  const auto tls = client_tls("ca.pem", "client");
  const auto connect_once = [&](const std::string& name) {
    pair.client = End();
    pair.server = End();
    pair.server.to_send = "hi";
    pair.connect({.tls = tls, .server_name = name});
    REQUIRE(pair.both_open());
    REQUIRE(pair.until([&] { return pair.client.received == "hi"; }));
    return pair.client.stream->tls_resumed();
  };
  CHECK_FALSE(connect_once("localhost"));
  CHECK(connect_once("localhost"));
  CHECK(connect_once("localhost"));
  // What was verified for one name says nothing about another.
  CHECK_FALSE(connect_once("vault.test"));
}

TEST_CASE("a ticket of a context that was replaced costs a full handshake, not the connection", "[net][tls]") {
  const auto with_clients = GENERATE(false, true);
  const TlsServerOptions options{.client_ca_file = with_clients ? cert("ca.pem") : std::string()};
  Pair pair(server_tls("server", options));
  const auto tls = client_tls("ca.pem", "client");
  const auto connect_once = [&] {
    pair.client = End();
    pair.server = End();
    pair.server.to_send = "hi";
    pair.connect({.tls = tls, .server_name = "vault.test"});
    REQUIRE(pair.both_open());
    REQUIRE(pair.until([&] { return pair.client.received == "hi"; }));
    return pair.client.stream->tls_resumed();
  };
  connect_once();
  REQUIRE(connect_once());
  pair.server_context = server_tls("common", options);
  CHECK_FALSE(connect_once());
  CHECK(connect_once());
}

TEST_CASE("a twin trusts and shows what the first one does, and keeps its own tickets", "[net][tls]") {
  Pair pair(server_tls("server", {.client_ca_file = cert("ca.pem"), .require_client_cert = true}));
  const auto first = client_tls("ca.pem", "client");
  const auto twin = first->twin();
  REQUIRE(twin);
  CHECK((*twin)->not_after() == first->not_after());
  const auto connect_once = [&](const std::shared_ptr<TlsContext>& tls) {
    pair.client = End();
    pair.server = End();
    pair.server.to_send = "hi";
    pair.connect({.tls = tls, .server_name = "localhost"});
    REQUIRE(pair.both_open());
    REQUIRE(pair.until([&] { return pair.client.received == "hi"; }));
    return pair.client.stream->tls_resumed();
  };
  CHECK_FALSE(connect_once(first));
  CHECK_FALSE(connect_once(*twin));
  CHECK(connect_once(first));

  Pair other(server_tls("server"));
  const auto stranger = client_tls("other-ca.pem")->twin();
  REQUIRE(stranger);
  CHECK_THAT(refusal(other, {.tls = *stranger, .server_name = "localhost"}), CATCH_CONTAINS("not among the trusted"));
}

TEST_CASE("the oldest version that a server takes can be set", "[net][tls]") {
  const auto modern = server_tls("server", {.min_version = TlsVersion::k13});
  const auto old_client = client_tls();
  SSL_CTX_set_max_proto_version(old_client->get(), TLS1_2_VERSION);
  Pair refused(modern);
  refused.connect({.tls = old_client, .server_name = "localhost"});
  REQUIRE(refused.until([&] { return refused.client.over() && refused.server.over(); }));
  CHECK(refused.server.stream->handshake_failure() == HandshakeFailure::kProtocol);
  Pair taken(server_tls());
  CHECK(refusal(taken, {.tls = old_client, .server_name = "localhost"}).empty());
  CHECK_FALSE(taken.server.stream->handshake_failure());
}

TEST_CASE("how a client's handshake failed is one of few reasons", "[net][tls]") {
  const TlsServerOptions demanding{.client_ca_file = cert("ca.pem"), .require_client_cert = true};
  const auto reason = [](Pair& pair) {
    REQUIRE(pair.until([&] { return pair.server.broken.has_value(); }));
    return pair.server.stream->handshake_failure();
  };
  SECTION("no certificate") {
    Pair pair(server_tls("server", demanding));
    pair.connect({.tls = client_tls(), .server_name = "localhost"});
    CHECK(reason(pair) == HandshakeFailure::kNoCertificate);
  }
  SECTION("a bad one") {
    Pair pair(server_tls("server", demanding));
    pair.connect({.tls = client_tls("ca.pem", "other-client"), .server_name = "localhost"});
    CHECK(reason(pair) == HandshakeFailure::kBadCertificate);
  }
  SECTION("ours is not trusted") {
    Pair pair(server_tls());
    pair.connect({.tls = client_tls("other-ca.pem"), .server_name = "localhost"});
    CHECK(reason(pair) == HandshakeFailure::kAlert);
  }
  SECTION("plain HTTP") {
    Pair pair(server_tls());
    pair.client.to_send = "GET / HTTP/1.1\r\n\r\n";
    pair.connect();
    CHECK(reason(pair) == HandshakeFailure::kPlainHttp);
  }
  SECTION("not TLS at all") {
    Pair pair(server_tls());
    pair.client.to_send = "SSH-2.0-OpenSSH_9.2\r\n";
    pair.connect();
    CHECK(reason(pair) == HandshakeFailure::kProtocol);
  }
  SECTION("gone") {
    Pair pair(server_tls());
    pair.client.finish = true;
    pair.connect();
    CHECK(reason(pair) == HandshakeFailure::kClosed);
  }
  SECTION("silent") {
    Pair pair(server_tls());
    pair.handshake_timeout = 30ms;
    pair.connect();
    CHECK(reason(pair) == HandshakeFailure::kTimeout);
  }
}

TEST_CASE("a context that cannot work says which file is at fault", "[net][tls]") {
  const auto missing = TlsContext::client({.ca_file = "/nonexistent/ca.pem"});
  REQUIRE_FALSE(missing);
  CHECK(missing.error().message == "the CA file /nonexistent/ca.pem: no such file or directory");
  const auto mixed = TlsContext::server({.cert_file = cert("server.pem"), .key_file = cert("client.key")});
  REQUIRE_FALSE(mixed);
  CHECK_THAT(mixed.error().message, CATCH_CONTAINS("client.key"));
  const auto not_pem = TlsContext::client({.ca_file = cert("ca.key")});
  REQUIRE_FALSE(not_pem);
  CHECK(not_pem.error().kind == ErrorKind::kInvalid);
  CHECK_FALSE(TlsContext::server(
      {.cert_file = cert("server.pem"), .key_file = cert("server.key"), .require_client_cert = true}));
}

TEST_CASE("early data is off, old versions and renegotiation are refused", "[net][tls]") {
  const auto context = server_tls();
  // Replayed early data would execute a write twice.
  CHECK(SSL_CTX_get_max_early_data(context->get()) == 0);
  CHECK(SSL_CTX_get_min_proto_version(context->get()) == TLS1_2_VERSION);
  CHECK((SSL_CTX_get_options(context->get()) & SSL_OP_NO_RENEGOTIATION) != 0);
}

TEST_CASE("a context tells why peers will refuse its certificate, or one that comes with it", "[net][tls]") {
  const WallTime in_2026{std::chrono::seconds(1790000000)};
  CHECK(validity_problem(*server_tls("expired"), in_2026) == "expired on 2020-01-01T00:00:00.000Z");
  CHECK_THAT(validity_problem(*server_tls("not-yet"), in_2026).value_or(""),
             CATCH_CONTAINS("is not valid before 2090-01-01T00:00:00.000Z"));
  CHECK_FALSE(validity_problem(*server_tls("not-yet"), WallTime(std::chrono::seconds(3800000000))));
  CHECK_FALSE(validity_problem(*client_tls(), in_2026));
  const auto context = server_tls();
  CHECK_FALSE(validity_problem(*context, std::chrono::system_clock::now()));
  // As an intermediate would come, behind the certificate in the same file.
  REQUIRE(SSL_CTX_add1_chain_cert(context->get(), SSL_CTX_get0_certificate(server_tls("expired")->get())) == 1);
  CHECK(validity_problem(*context, std::chrono::system_clock::now()) ==
        "comes with that of its issuer CN=vault.test, which expired on 2020-01-01T00:00:00.000Z");
}

TEST_CASE("a context tells when its certificate ends", "[net][tls]") {
  CHECK(server_tls("expired")->not_after() == WallTime(std::chrono::seconds(1577836800)));
  CHECK_FALSE(client_tls()->not_after());
}
