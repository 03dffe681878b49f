#include "bellwether/vault/advice.h"

#include "bellwether/vault/trouble.h"
#include "catch.hpp"

using namespace bellwether;
using namespace bellwether::vault;
using cluster::ProbeFailure;

namespace {

NodeSetUp over_tls() {
  NodeSetUp set_up;
  set_up.host = "vault1";
  set_up.port = 8200;
  set_up.is_tls = true;
  return set_up;
}

}  // namespace

TEST_CASE("each way of not answering has its advice", "[advice]") {
  const NodeSetUp tls = over_tls();
  NodeSetUp plain = tls;
  plain.is_tls = false;
  CHECK(explain_silence(tls, ProbeFailure::kRefused, "Connection refused") ==
        "Connection refused; is Vault running there, and is the port right?");
  CHECK_THAT(explain_silence(tls, ProbeFailure::kTls, "the certificate CN=a is not valid for \"vault1\""),
             CATCH_CONTAINS("--server-name"));
  CHECK_THAT(explain_silence(tls, ProbeFailure::kTls, "... which is not among the trusted CAs"),
             CATCH_CONTAINS("--ca-file"));
  CHECK_THAT(explain_silence(tls, ProbeFailure::kTls, "the other side does not speak TLS"), CATCH_CONTAINS("http://"));
  CHECK_THAT(explain_silence(plain, ProbeFailure::kReset, "Connection reset by peer"), CATCH_CONTAINS("https://"));
  CHECK_THAT(explain_silence(tls, ProbeFailure::kUnreachable, "cannot resolve \"vault1\""), CATCH_CONTAINS("DNS"));
  CHECK_THAT(explain_silence(plain, std::nullopt, "not HTTP"), CATCH_CONTAINS("https://"));
  CHECK_THAT(explain_error(plain, 400, "HTTP 400 with a body that is not JSON"), CATCH_CONTAINS("https://"));
}

TEST_CASE("what is done already is not advised", "[advice]") {
  NodeSetUp set_up = over_tls();
  set_up.has_server_name = set_up.has_client_cert = set_up.sends_proxy = set_up.sends_forwarded_for = true;
  CHECK(explain_silence(set_up, ProbeFailure::kTls, "not valid for \"x\"").find("if all nodes share") ==
        std::string::npos);
  CHECK(explain_silence(set_up, ProbeFailure::kClosed, "closed").find("--client-cert") == std::string::npos);
  CHECK(explain_error(set_up, 400, "missing x-forwarded-for header").find("--mode http") == std::string::npos);
}

TEST_CASE("the cluster port is named for what it is, whatever happens there", "[advice]") {
  NodeSetUp set_up = over_tls();
  set_up.port = 8201;
  CHECK_THAT(explain_silence(set_up, ProbeFailure::kClosed, "closed"), CATCH_CONTAINS("cluster_addr"));
}

TEST_CASE("text from the network is printable and bounded", "[advice]") {
  const std::string hostile = "\x1b]0;owned\x07" + std::string(5000, 'x');
  const std::string said = explain_silence(over_tls(), ProbeFailure::kTls, hostile);
  CHECK(said.size() <= kMaxAdviceBytes);
  CHECK(said.find('\x1b') == std::string::npos);
}

TEST_CASE("an answer of a gateway and one that was changed on the way are told from no Vault", "[advice]") {
  const NodeSetUp tls = over_tls();
  CHECK(advise_on_answer(tls, 502, "HTTP 502 without a body").trouble == Trouble::kGateway);
  CHECK(advise_on_answer(tls, 503, "HTTP 503: out of order").trouble == Trouble::kNotVault);
  CHECK(advise_on_answer(tls, 200, "says 200, but its body says standby").trouble == Trouble::kContradiction);
  CHECK(advise_on_answer(tls, 299, "HTTP 299 is none of Vault's health codes").trouble == Trouble::kContradiction);
  CHECK(advise_on_answer(tls, 299, "HTTP 299: HTTP 299 is none of Vault's health codes").trouble == Trouble::kNotVault);
}

TEST_CASE("a certificate's own words do not decide what is wrong with it", "[advice]") {
  const auto trouble = [](std::string_view message) {
    return advise_on_silence(over_tls(), ProbeFailure::kTls, message).trouble;
  };
  CHECK(trouble("the certificate CN=is not valid for was refused: CA md too weak (at 10.0.0.1:8200)") ==
        Trouble::kOtherTls);
  CHECK(trouble("the certificate CN=client certificate expired on Jan  1 00:00:00 2020 GMT (at 10.0.0.1:8200)") ==
        Trouble::kCertificateTime);
  CHECK(trouble("10.0.0.1:8200: the other side says that our certificate has expired") == Trouble::kClientCertificate);
}
