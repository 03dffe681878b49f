#include "bellwether/vault/effect.h"

#include <string>

#include "bellwether/vault/mount.h"
#include "catch.hpp"

using namespace bellwether;
using namespace bellwether::vault;

namespace {

// A head as it was sent, with these header lines; the views point into the text that is kept here.
class SentHead {
 public:
  explicit SentHead(const std::string& lines, const std::string& target = "/v1/x")
      : text_("POST " + target + " HTTP/1.1\r\nHost: vault\r\n" + lines + "\r\n") {
    REQUIRE(parse_request_head(text_, {}, head_).status == http::ParseStatus::kDone);
  }
  operator const http::RequestHead&() const { return head_; }

 private:
  std::string text_;
  http::RequestHead head_;
};

const std::string kToken = "X-Vault-Token: s.1\r\n";

void check_effect(std::string_view path, Effect wanted) {
  CAPTURE(path);
  CHECK(static_cast<int>(effect_of(path, SentHead(kToken))) == static_cast<int>(wanted));
}

cluster::HealthFacts facts(std::string version, bool states_enterprise = false) {
  cluster::HealthFacts made;
  made.version = std::move(version);
  made.states_enterprise = states_enterprise;
  return made;
}

std::string mount_answer(const std::string& path, const std::string& type, const std::string& sha256 = "") {
  return R"({"request_id":"x","data":{"path":")" + path + R"(","type":")" + type + R"(","running_sha256":")" + sha256 +
         R"("}})";
}

Effect effect_in(const std::string& answer, std::string_view path) {
  const auto mount = parse_mount(200, answer);
  return mount ? vault::effect_in(*mount, path) : Effect::kByMount;
}

}  // namespace

TEST_CASE("Tokens, leases, policies, entities and cubbyholes are storage", "[vault]") {
  for (const std::string_view path :
       {"/v1/auth/token/create", "/v1/auth/token/renew-self", "/v1/auth/token/lookup", "/v1/sys/leases/renew",
        "/v1/sys/leases/revoke/database/creds/a/x", "/v1/sys/renew", "/v1/sys/policies/acl/a", "/v1/sys/policy",
        "/v1/sys/capabilities-self", "/v1/sys/internal/ui/mounts/secret/a", "/v1/sys/tools/hash",
        "/v1/identity/entity/id/x", "/v1/identity/lookup/entity", "/v1/identity/group", "/v1/identity/oidc/token/a",
        "/v1/cubbyhole/a", "/v1/sys%2Fleases%2Frenew", "/v1/auth/t%6Fken/create"}) {
    check_effect(path, Effect::kStorage);
  }
}

TEST_CASE("Logins, and what changes a node or counts once, may touch more than storage", "[vault]") {
  for (const std::string_view path :
       {"/v1/auth/approle/login", "/v1/auth/userpass/login/ann", "/v1/auth/team/a/ldap/login/ann", "/v1/auth/oidc/x",
        "/v1/auth/tokens/create", "/v1/auth", "/v1/auth/approle/role/x/secret-id", "/v1/sys/mfa/validate",
        "/v1/sys/wrapping/unwrap", "/v1/sys/mounts/a", "/v1/sys/rekey/init", "/v1/sys/plugins/reload/backend",
        "/v1/sys/leasesx", "/v1/sys/policiesx/a", "/v1/sys/internal/counters", "/v1/identity/mfa/method/totp",
        "/v1/identity/oidc/provider/a/authorize", "/v1/identity", "/v1/sys/storage/raft/snapshot-force"}) {
    check_effect(path, Effect::kOutside);
  }
}

TEST_CASE("Of other paths the mount decides, and of a namespace in the path", "[vault]") {
  for (const std::string_view path :
       {"/v1/secret/data/a", "/v1/kv/team/a", "/v1/transit/encrypt/a", "/v1/database/creds/a", "/v1/totp/code/a",
        "/v1/ns1/auth/token/create", "/v1/ns1/sys/leases/renew", "/v1/AUTH/x/login", "/v1/authx/login", "/v1/login",
        "/v1/secret/data/login", "/v1/a/"}) {
    check_effect(path, Effect::kByMount);
  }
}

TEST_CASE("What is no path of the API, or not as a node would route it, may touch anything", "[vault]") {
  for (const std::string_view path : {"", "/", "*", "/v1", "/v1/", "/ui/", "/v1/%zz", "/v1//secret/a", "/v1/secret//a",
                                      "/v1/secret/../auth/a", "/v1/secret/./a", "/v1/secret/%2e%2e/auth/token"}) {
    check_effect(path, Effect::kOutside);
  }
}

TEST_CASE("Without a token in what is sent, or with a login inside, a request may touch anything", "[vault]") {
  for (const std::string lines :
       {"", "X-Vault-Token:\r\n", "Authorization: Basic YTpi\r\n", "Authorization: Bearer \r\n", "X: y\r\n",
        "X-Vault-Token: s.1\r\nX-Vault-Inline-Auth-Path: auth/radius/login/a\r\n"}) {
    CAPTURE(lines);
    CHECK(effect_of("/v1/auth/token/create", SentHead(lines)) == Effect::kOutside);
    CHECK(effect_of("/v1/secret/data/a", SentHead(lines)) == Effect::kOutside);
  }
  CHECK(effect_of("/v1/auth/token/create", SentHead("authorization: bearer s.1\r\n")) == Effect::kStorage);
}

TEST_CASE("Product and version tell whether a standby refuses first or acts first", "[vault]") {
  using enum StandbyConduct;
  struct Case {
    std::string version;
    bool states_enterprise;
    StandbyConduct conduct;
  };
  for (const Case& each : {Case{"2.6.2", false, kActsFirst},
                           Case{"2.5.0", false, kActsFirst},
                           Case{"2.5.0-beta20251125", false, kActsFirst},
                           Case{"2.7.1", false, kActsFirst},
                           Case{"2.10.0", false, kActsFirst},
                           Case{"2.4.4", false, kRefusesFirst},
                           Case{"2.0.0", false, kRefusesFirst},
                           Case{"3.0.0", false, kUnknown},
                           Case{"1.15.6", false, kRefusesFirst},
                           Case{"1.21.2", true, kRefusesFirst},
                           Case{"1.21.2+ent", true, kRefusesFirst},
                           Case{"2.0.0", true, kRefusesFirst},
                           Case{"2.6.2", true, kRefusesFirst},
                           Case{"3.0.0", true, kUnknown},
                           Case{"0.11.0", false, kUnknown},
                           Case{"", false, kUnknown},
                           Case{"", true, kUnknown},
                           Case{"2", false, kUnknown},
                           Case{"2.", false, kUnknown},
                           Case{"2.x", false, kUnknown},
                           Case{"2.5x", false, kUnknown},
                           Case{"-2.5", false, kUnknown},
                           Case{"v2.6.2", false, kUnknown}}) {
    CAPTURE(each.version, each.states_enterprise);
    CHECK(static_cast<int>(conduct_of(facts(each.version, each.states_enterprise))) == static_cast<int>(each.conduct));
  }
}

TEST_CASE("A mount's type is believed of built-in engines only, and for paths below it", "[vault]") {
  for (const std::string type : {"kv", "generic", "transit", "pki", "ssh", "cubbyhole"}) {
    CAPTURE(type);
    CHECK(effect_in(mount_answer("team/a/", type), "/v1/team/a/data/x") == Effect::kStorage);
    CHECK(effect_in(mount_answer("team/a/", type), "/v1/team/%61/data/x") == Effect::kStorage);
    CHECK(effect_in(mount_answer("team/a/", type), "/v1/team/b/data/x") == Effect::kOutside);
    CHECK(effect_in(mount_answer("team/a/", type, "6f2a"), "/v1/team/a/data/x") == Effect::kOutside);
  }
  for (const std::string type : {"database", "rabbitmq", "totp", "radius", "userpass", "plugin", "my-kv"}) {
    CHECK(effect_in(mount_answer("secret/", type), "/v1/secret/data/x") == Effect::kOutside);
  }
}

TEST_CASE("Below a namespace in the path, the engines of every cluster have the rules of theirs", "[vault]") {
  CHECK(effect_in(mount_answer("ns1/sys/", "ns_system"), "/v1/ns1/sys/leases/renew") == Effect::kStorage);
  CHECK(effect_in(mount_answer("ns1/sys/", "ns_system"), "/v1/ns1/sys/wrapping/unwrap") == Effect::kOutside);
  CHECK(effect_in(mount_answer("ns1/identity/", "ns_identity"), "/v1/ns1/identity/entity") == Effect::kStorage);
  CHECK(effect_in(mount_answer("ns1/identity/", "identity"), "/v1/ns1/identity/mfa/x") == Effect::kOutside);
  CHECK(effect_in(mount_answer("ns1/auth/token/", "ns_token"), "/v1/ns1/auth/token/create") == Effect::kStorage);
  CHECK(effect_in(mount_answer("ns1/auth/u/", "userpass"), "/v1/ns1/auth/u/login/a") == Effect::kOutside);
}

TEST_CASE("Only a mount's description is one", "[vault]") {
  CHECK_FALSE(parse_mount(403, mount_answer("secret/", "kv")));
  for (const std::string& body :
       {std::string(), std::string("{}"), std::string("[]"), std::string(R"({"data":[]})"), mount_answer("", "kv"),
        mount_answer("/", "kv"), mount_answer("secret", "kv"), mount_answer("secret/", ""),
        mount_answer(std::string(300, 'a') + "/", "kv"), std::string(R"({"data":{"path":1,"type":"kv"}})")}) {
    CAPTURE(body);
    CHECK_FALSE(parse_mount(200, body));
  }
  // Without a checksum, even an empty one, nothing tells a plugin.
  CHECK(effect_in(R"({"data":{"path":"secret/","type":"kv"}})", "/v1/secret/data/x") == Effect::kOutside);
}

TEST_CASE("The question about a mount carries who asks, and nothing else of the request", "[vault]") {
  const SentHead sent(
      "X-Vault-Token: s.1\r\nX-Vault-Namespace: ns1\r\nX-Vault-Wrap-TTL: 60\r\nContent-Length: 5\r\n"
      "X-Forwarded-For: 10.0.0.9\r\nX-Vault-No-Request-Forwarding: true\r\nCookie: a\r\n",
      "/v1/team%2Fa/data/x?version=2");
  CHECK(mount_request(sent) ==
        "GET /v1/sys/internal/ui/mounts/team%2Fa/data/x HTTP/1.1\r\nHost: vault\r\nX-Vault-Token: s.1\r\n"
        "X-Vault-Namespace: ns1\r\nX-Forwarded-For: 10.0.0.9\r\nX-Vault-No-Request-Forwarding: true\r\n\r\n");
  CHECK(mount_request(SentHead(kToken, "/ui/")).empty());
  CHECK(mount_request(SentHead(kToken, "/v1/")).empty());
}

TEST_CASE("Mounts are remembered for a minute, by namespace, and not without end", "[vault]") {
  const TimePoint start{};
  MountTable table;
  CHECK_FALSE(table.effect_of("", "/v1/secret/data/x", start));
  table.remember("", {"secret/", "kv", true}, start);
  table.remember("", {"db/", "database", true}, start);
  CHECK(table.effect_of("", "/v1/secret/data/x", start) == Effect::kStorage);
  CHECK(table.effect_of("", "/v1/db/creds/x", start) == Effect::kOutside);
  CHECK_FALSE(table.effect_of("ns1", "/v1/secret/data/x", start));
  CHECK_FALSE(table.effect_of("", "/v1/secrets/x", start));
  CHECK_FALSE(table.effect_of("", "/v1/secret/data/x", start + MountTable::kMaxAge));
  table.remember("", {"secret/", "database", true}, start + 1s);
  CHECK(table.effect_of("", "/v1/secret/data/x", start + 1s) == Effect::kOutside);
  for (std::size_t i = 0; i < MountTable::kMaxMounts; ++i) {
    table.remember("", {"m" + std::to_string(i) + "/", "kv", true}, start + 1s);
  }
  CHECK_FALSE(table.effect_of("", "/v1/secret/data/x", start + 1s));
  CHECK(table.effect_of("", "/v1/m0/x", start + 1s) == Effect::kStorage);
}

TEST_CASE("Only the answer to a new version of a secret shows that it was written", "[vault]") {
  const std::string written = R"({"data":{"created_time":"2026-11-28T00:00:00Z","version":3}})";
  CHECK(is_sure_write("POST", "/v1/secret/data/x", 200, written));
  CHECK(is_sure_write("PUT", "/v1/ns1/team/data/x", 200, written));
  CHECK_FALSE(is_sure_write("GET", "/v1/secret/data/x", 200, written));
  CHECK_FALSE(is_sure_write("DELETE", "/v1/secret/data/x", 204, ""));
  CHECK_FALSE(is_sure_write("POST", "/v1/secret/data/x", 400, written));
  CHECK_FALSE(is_sure_write("POST", "/v1/auth/token/lookup", 200, written));
  CHECK_FALSE(is_sure_write("POST", "/v1/secret/data/x", 200, R"({"data":{"version":3}})"));
  CHECK_FALSE(is_sure_write("POST", "/v1/secret/data/x", 200, R"({"data":{"created_time":"2026-11-28T00:00:00Z"}})"));
}
