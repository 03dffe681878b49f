#include "catch.hpp"
#include "examined_nodes.h"

// What is found of one node alone. The second of three is made ill; nothing else may be found.

using namespace bellwether;
using namespace bellwether::app;
using namespace bellwether::app::testing;
using wire::ExchangeFailure;

namespace {

template <typename MakeIll>
Ids found_with(MakeIll make_ill) {
  ExaminedCluster seen = healthy_cluster();
  make_ill(seen.nodes[1]);
  return ids(seen);
}

Ids found_silent(ExchangeFailure failure, const std::string& message) {
  return found_with([&](Examined& node) { silence(node, failure, message); });
}

Ids found_foreign(int status, const std::string& problem) {
  return found_with([&](Examined& node) { answer_foreign(node, status, problem); });
}

}  // namespace

TEST_CASE("each way of not being reached has its own id", "[doctor]") {
  CHECK(found_silent(ExchangeFailure::kRefused, "connection refused") == Ids{"BW001 n2"});
  CHECK(found_silent(ExchangeFailure::kConnectTimeout, "no connection within 3s") == Ids{"BW002 n2"});
  CHECK(found_silent(ExchangeFailure::kUnreachable, "cannot resolve \"n2\": not found") == Ids{"BW003 n2"});
  CHECK(found_silent(ExchangeFailure::kUnreachable, "no route to host") == Ids{"BW004 n2"});
  CHECK(found_silent(ExchangeFailure::kAnswerTimeout, "no answer within 3s") == Ids{"BW005 n2"});
  CHECK(found_silent(ExchangeFailure::kClosed, "the connection was closed before any answer") == Ids{"BW006 n2"});
  CHECK(found_silent(ExchangeFailure::kReset, "connection reset by peer") == Ids{"BW006 n2"});
  CHECK(found_silent(ExchangeFailure::kProtocol, "not HTTP") == Ids{"BW008 n2"});
}

TEST_CASE("the cluster port is told from any other silence, but not from a name without an address", "[doctor]") {
  const auto at_cluster_port = [](ExchangeFailure failure, const std::string& message) {
    return found_with([&](Examined& node) {
      silence(node, failure, message);
      node.set_up.port = 8201;
    });
  };
  CHECK(at_cluster_port(ExchangeFailure::kClosed, "closed") == Ids{"BW007 n2"});
  CHECK(at_cluster_port(ExchangeFailure::kTls, "TLS error: no suitable signature algorithm") == Ids{"BW007 n2"});
  CHECK(at_cluster_port(ExchangeFailure::kUnreachable, "cannot resolve \"n2\"") == Ids{"BW003 n2"});
}

TEST_CASE("each answer that is not Vault's has its own id", "[doctor]") {
  CHECK(found_foreign(200, "HTTP 200 with a body that is not JSON: \"<html>\"") == Ids{"BW008 n2"});
  CHECK(found_foreign(502, "HTTP 502 with a body that is not JSON: \"<html>\"") == Ids{"BW009 n2"});
  CHECK(found_foreign(503, "HTTP 503 without a body") == Ids{"BW009 n2"});
  CHECK(found_foreign(503, "HTTP 503: something of Vault's own") == Ids{"BW008 n2"});
  CHECK(found_foreign(200, "says 200, but its body says standby") == Ids{"BW010 n2"});
  CHECK(found_foreign(204, "HTTP 204 is none of Vault's health codes") == Ids{"BW010 n2"});
  CHECK(found_foreign(400, "HTTP 400: missing x-forwarded-for header and configured to reject") == Ids{"BW011 n2"});
  CHECK(found_foreign(429, "HTTP 429: request path \"sys/health\": rate limit quota exceeded") == Ids{"BW012 n2"});
}

TEST_CASE("each failure of TLS has its own id", "[doctor]") {
  const auto tls = [](const std::string& message) { return found_silent(ExchangeFailure::kTls, message); };
  CHECK(tls("the certificate is not valid for \"n2\", only for a (set the server name to one of these)") ==
        Ids{"BW013 n2"});
  CHECK(tls("the certificate CN=a was issued by CN=b, which is not among the trusted CAs (is it the right CA file?)") ==
        Ids{"BW014 n2"});
  CHECK(tls("the certificate CN=a expired on Jan  1 00:00:00 2020 GMT") == Ids{"BW015 n2"});
  CHECK(tls("the certificate CN=a is not valid before Jan  1 00:00:00 2090 GMT (is this machine's clock right?)") ==
        Ids{"BW015 n2"});
  CHECK(tls("the other side requires a client certificate") == Ids{"BW016 n2"});
  CHECK(tls("the other side does not know the CA of our certificate") == Ids{"BW016 n2"});
  CHECK(tls("the other side says that our certificate has expired") == Ids{"BW016 n2"});
  CHECK(tls("no common TLS version: 1.2 or newer is needed") == Ids{"BW017 n2"});
  CHECK(tls("the other side does not speak TLS (plain HTTP on that port?)") == Ids{"BW019 n2"});
}

TEST_CASE("a certificate's names do not choose the finding", "[doctor]") {
  const auto tls = [](const std::string& message) { return found_silent(ExchangeFailure::kTls, message); };
  CHECK(tls("the certificate CN=the certificate is not valid for x was issued by CN=b, which is not among the trusted "
            "CAs (is it the right CA file?)") == Ids{"BW014 n2"});
  CHECK(tls("the certificate CN=does not speak TLS expired on Jan  1 00:00:00 2020 GMT") == Ids{"BW015 n2"});
  CHECK(tls("the certificate CN=x expired on never was refused: CA md too weak") == Ids{"BW017 n2"});
  CHECK(tls("the certificate is not valid for \"n2\", only for requires a client certificate") == Ids{"BW013 n2"});
}

TEST_CASE("what another way of asking has proved is more than a guess", "[doctor]") {
  const auto closed = [](OtherWays ways, bool sends_proxy) {
    return found_with([&](Examined& node) {
      silence(node, ExchangeFailure::kClosed, "the connection was closed before any answer");
      node.set_up.sends_proxy = sends_proxy;
      node.other_ways = ways;
    });
  };
  CHECK(closed({true, true, false}, false) == Ids{"BW018 n2"});
  CHECK(closed({false, false, true}, true) == Ids{"BW020 n2"});
  CHECK(closed({false, false, true}, false) == Ids{"BW021 n2"});
  CHECK(closed({true, false, false}, false) == Ids{"BW006 n2"});
}

TEST_CASE("a 400 to plain HTTP is a TLS port if the node says so or speaks TLS, and else no Vault", "[doctor]") {
  const auto plain = [](const std::string& problem, OtherWays ways) {
    return found_with([&](Examined& node) {
      answer_foreign(node, 400, problem);
      node.set_up.is_tls = node.tls = false;
      node.certificate.reset();
      node.other_ways = ways;
    });
  };
  const std::string bare = "HTTP 400 without a body";
  CHECK(plain("HTTP 400: Client sent an HTTP request to an HTTPS server.", {true, false, false}) == Ids{"BW018 n2"});
  CHECK(plain(bare, {true, true, false}) == Ids{"BW018 n2"});
  CHECK(plain(bare, {true, false, false}) == Ids{"BW008 n2"});
}

TEST_CASE("each state in which a node cannot take over is noted", "[doctor]") {
  const auto role = [](cluster::Role as) { return found_with([&](Examined& node) { node.facts.role = as; }); };
  CHECK(role(cluster::Role::kSealed) == Ids{"BW023 n2"});
  CHECK(role(cluster::Role::kUninitialized) == Ids{"BW024 n2"});
  CHECK(role(cluster::Role::kRemoved) == Ids{"BW025 n2"});
  CHECK(role(cluster::Role::kDisconnected) == Ids{"BW026 n2"});
  CHECK(role(cluster::Role::kDrSecondary) == Ids{"BW027 n2"});
  CHECK(role(cluster::Role::kPerformanceStandby).empty());
}

TEST_CASE("a clock counts as wrong beyond five seconds, either way", "[doctor]") {
  const auto ahead = [](Duration by) { return found_with([&](Examined& node) { node.clock_ahead = by; }); };
  CHECK(ahead(5s).empty());
  CHECK(ahead(-5s).empty());
  CHECK(ahead(6s) == Ids{"BW028 n2"});
  CHECK(ahead(-6s) == Ids{"BW028 n2"});
}

TEST_CASE("a certificate ends soon with less than 30 days and a third of its time to go", "[doctor]") {
  const auto with = [](Duration lasts, Duration whole) {
    return found_with([&](Examined& node) { node.certificate = CertificateLife{lasts, whole}; });
  };
  CHECK(with(29 * 24h, 365 * 24h) == Ids{"BW022 n2"});
  CHECK(with(31 * 24h, 365 * 24h).empty());
  CHECK(with(29 * 24h, 30 * 24h).empty());  // renewed by a program
  CHECK(with(9 * 24h, 30 * 24h) == Ids{"BW022 n2"});
}

TEST_CASE("a family of addresses counts as closed if none of its addresses answers", "[doctor]") {
  const auto others = [](std::vector<OtherFamily> family) {
    return found_with([&](Examined& node) { node.other_family = std::move(family); });
  };
  CHECK(others({{"[fd00::1]:8200", false}}).empty());
  CHECK(others({{"[fd00::1]:8200", true}, {"[fd00::2]:8200", false}}).empty());
  CHECK(others({{"[fd00::1]:8200", true}}) == Ids{"BW042 n2"});
}

TEST_CASE("a node that leads to our own listener is named", "[doctor]") {
  CHECK(found_with([](Examined& node) { node.leads_back = true; }) == Ids{"BW046 n2"});
}
