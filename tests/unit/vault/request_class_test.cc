#include "bellwether/vault/request_class.h"

#include <string>

#include "bellwether/http/target.h"
#include "catch.hpp"

using namespace bellwether::vault;
using bellwether::http::path_of;

namespace {

void check_class(std::string_view target, RequestClass wanted, std::string_view method = "PUT") {
  CAPTURE(method, target);
  CHECK(to_text(classify(method, path_of(target))) == to_text(wanted));
}

bellwether::http::RequestHead head_with(const std::string& header) {
  static std::string text;
  text = "GET / HTTP/1.1\r\nHost: a\r\n" + header + "\r\n\r\n";
  bellwether::http::RequestHead head;
  REQUIRE(parse_request_head(text, {}, head).status == bellwether::http::ParseStatus::kDone);
  return head;
}

}  // namespace

TEST_CASE("What a node says of itself is never held", "[vault]") {
  check_class("/v1/sys/health", RequestClass::kNodeLocal);
  check_class("/v1/sys/health?standbyok=true", RequestClass::kNodeLocal);
  check_class("/v1/sys/leader", RequestClass::kNodeLocal);
  check_class("/v1/sys/seal-status", RequestClass::kNodeLocal);
  check_class("http://vault:8200/v1/sys/health?x", RequestClass::kNodeLocal);
}

TEST_CASE("Only the plain spelling gives a freedom", "[vault]") {
  for (const std::string_view target : {"/v1/sys/he%61lth",
                                        "/v1/sys%2Fhealth",
                                        "/v1//sys/health",
                                        "//v1/sys/health",
                                        "/v1/sys/health/",
                                        "/v1/sys/./health",
                                        "/v1/a/../sys/health",
                                        "/v1/sys/healthx",
                                        "/v1/sys/HEALTH",
                                        "/V1/sys/health",
                                        "/v1/ns1/sys/health",
                                        "/v1/sys/health;x",
                                        "/v1/sys/seal",
                                        "/v1/sys/un%73eal",
                                        "/v1/ns1/sys/init",
                                        "*",
                                        "/",
                                        "/v1/sys/",
                                        "/v1/sys",
                                        "?/v1/sys/health",
                                        "/x?/v1/sys/health"}) {
    check_class(target, RequestClass::kData);
  }
}

TEST_CASE("Initializing and unsealing are for nodes that cannot lead yet", "[vault]") {
  check_class("/v1/sys/init", RequestClass::kBootstrap);
  check_class("/v1/sys/unseal", RequestClass::kBootstrap);
  check_class("/v1/sys/init", RequestClass::kBootstrap, "POST");
  check_class("/v1/sys/unseal", RequestClass::kBootstrap, "GET");
  CHECK(role_to_bootstrap("/v1/sys/init") == bellwether::cluster::Role::kUninitialized);
  CHECK(role_to_bootstrap("/v1/sys/unseal") == bellwether::cluster::Role::kSealed);
}

TEST_CASE("Whether a cluster is initialized any node can say", "[vault]") {
  check_class("/v1/sys/init", RequestClass::kNodeLocal, "GET");
  check_class("/v1/sys/init", RequestClass::kNodeLocal, "HEAD");
}

TEST_CASE("Endless streams are known in every spelling and namespace", "[vault]") {
  for (const std::string_view target :
       {"/v1/sys/monitor", "/v1/sys/monitor?log_level=debug", "/v1/sys/m%6fnitor", "/v1/sys%2fmonitor",
        "/v1/sys%2Fmonitor", "/%76%31/sys/monitor", "/v1/admin/sys/monitor", "/v1/a/b/c/sys/monitor/",
        "/v1/a%2Fsys/monitor", "/v1/sys/events/subscribe/kv*", "/v1/sys/events/subscribe",
        "/v1/ns1/sys/events/subscribe/%2A?json=true", "https://v/v1/sys/monitor"}) {
    check_class(target, RequestClass::kStream);
  }
}

TEST_CASE("What only looks like a stream is data", "[vault]") {
  for (const std::string_view target :
       {"/v1/sys/monitors", "/v1/xsys/monitor", "/v1/sys/monito", "/v1/sys/events/subscriptions", "/ui/sys/monitor",
        "/v1/secret?sys/monitor", "/v1/sys/moni%zztor", "/v1/sys/monitor%", "/v1/sys%252Fmonitor"}) {
    check_class(target, RequestClass::kData);
  }
}

TEST_CASE("Snapshots and events are redirected before a node thinks of forwarding", "[vault]") {
  CHECK(is_always_redirected("/v1/sys/storage/raft/snapshot"));
  CHECK(is_always_redirected("/v1/sys/storage/raft/snapshot-force"));
  CHECK(is_always_redirected("/v1/sys/events/subscribe/kv"));
  CHECK_FALSE(is_always_redirected("/v1/sys/storage/raft/snapshot-auto/config"));
  CHECK_FALSE(is_always_redirected("/v1/sys/storage/raft/snap%73hot"));
  CHECK_FALSE(is_always_redirected("/v1/ns1/sys/storage/raft/snapshot"));
}

TEST_CASE("A login is known by its path, in every spelling and namespace", "[vault]") {
  for (const std::string_view path :
       {"/v1/auth/approle/login", "/v1/auth/userpass/login/ann", "/v1/auth/team/a/ldap/login/ann",
        "/v1/ns1/ns2/auth/kubernetes/login", "/v1/%61uth/approle/l%6Fgin", "/v1/auth%2Fapprole%2Flogin",
        "/v1/auth//approle//login", "/v1/auth/oidc/oidc/callback", "/v1/auth/jwt/oidc/auth_url", "/v1/AUTH/x/LOGIN",
        "/v1/auth/x/login_mfa", "/v1/auth/okta/%zz"}) {
    CAPTURE(path);
    CHECK(may_be_login(path, true));
  }
}

TEST_CASE("A request without a token may be a login wherever it goes", "[vault]") {
  CHECK(may_be_login("/v1/pki/acme/new-order", false));
  CHECK(may_be_login("/v1/secret/data/a", false));
}

TEST_CASE("Other requests with a token are no logins", "[vault]") {
  for (const std::string_view path :
       {"/v1/secret/data/login", "/v1/auth/token/lookup-self", "/v1/auth/token/create",
        "/v1/auth/approle/role/x/secret-id", "/v1/sys/mounts", "/v1/login", "/v1/authx/login", "/", ""}) {
    CAPTURE(path);
    CHECK_FALSE(may_be_login(path, true));
  }
}

TEST_CASE("A token travels in X-Vault-Token or as a bearer", "[vault]") {
  CHECK(carries_token(head_with("x-vault-token: s.1")));
  CHECK(carries_token(head_with("Authorization: bearer s.1")));
  CHECK_FALSE(carries_token(head_with("X-Vault-Token:")));
  CHECK_FALSE(carries_token(head_with("Authorization: Basic YTpi")));
  CHECK_FALSE(carries_token(head_with("Authorization: Bearer ")));
  CHECK_FALSE(carries_token(head_with("X: y")));
}
