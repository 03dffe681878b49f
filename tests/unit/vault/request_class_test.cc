#include "bellwether/vault/request_class.h"

#include "bellwether/http/target.h"
#include "catch.hpp"

using namespace bellwether::vault;
using bellwether::http::path_of;

namespace {

void check_class(std::string_view target, RequestClass wanted, std::string_view method = "PUT") {
  CAPTURE(method, target);
  CHECK(to_text(classify(method, path_of(target))) == to_text(wanted));
}

}  // namespace

TEST_CASE("What a node says of itself is never held", "[vault]") {
  check_class("/v1/sys/health", RequestClass::kNodeLocal);
  check_class("/v1/sys/health?standbyok=true", RequestClass::kNodeLocal);
  check_class("/v1/sys/leader", RequestClass::kNodeLocal);
  check_class("/v1/sys/seal-status", RequestClass::kNodeLocal);
  check_class("http://vault:8200/v1/sys/health?x", RequestClass::kNodeLocal);
}

TEST_CASE("Every spelling that a node decodes to the same path has the same class", "[vault]") {
  check_class("/v1/sys/he%61lth", RequestClass::kNodeLocal);
  check_class("/v1/sys%2Fhealth", RequestClass::kNodeLocal);
  check_class("/%76%31/sys/leader", RequestClass::kNodeLocal);
  check_class("/v1/sys/un%73eal", RequestClass::kBootstrap);
  check_class("/v1/sys%2finit", RequestClass::kNodeLocal, "GET");
  CHECK(role_to_bootstrap("/v1/sys/in%69t") == bellwether::cluster::Role::kUninitialized);
  CHECK(role_to_bootstrap("/v1/sys/un%73eal") == bellwether::cluster::Role::kSealed);
}

TEST_CASE("Another path has another class", "[vault]") {
  for (const std::string_view target : {"/v1//sys/health",
                                        "//v1/sys/health",
                                        "/v1/sys/health/",
                                        "/v1/sys/./health",
                                        "/v1/a/../sys/health",
                                        "/v1/sys/healthx",
                                        "/v1/sys/health%00",
                                        "/v1/sys/health%",
                                        "/v1/sys/he%2561lth",
                                        "/v1/sys/HEALTH",
                                        "/V1/sys/health",
                                        "/v1/ns1/sys/health",
                                        "/v1/secret/data/sys/health",
                                        "/v1/sys/health;x",
                                        "/v1/sys/seal",
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

TEST_CASE("Endless streams are known in every spelling", "[vault]") {
  for (const std::string_view target :
       {"/v1/sys/monitor", "/v1/sys/monitor?log_level=debug", "/v1/sys/m%6fnitor", "/v1/sys%2fmonitor",
        "/v1/sys%2Fmonitor", "/%76%31/sys/monitor", "/v1/sys/monitor/", "/v1/sys/events/subscribe/kv*",
        "/v1/sys/events/subscribe", "/v1/sys/events/subscribe/%2A?json=true", "https://v/v1/sys/monitor"}) {
    check_class(target, RequestClass::kStream);
    CHECK(may_be_stream(path_of(target)));
  }
}

TEST_CASE("What stands before sys/ may be a namespace or a secret: data, until its answer has no end", "[vault]") {
  for (const std::string_view target :
       {"/v1/admin/sys/monitor", "/v1/a/b/c/sys/monitor/", "/v1/a%2Fsys/monitor", "/v1/secret/data/sys/monitor",
        "/v1/secret/sys/monitor", "/v1/ns1/sys/events/subscribe/%2A?json=true",
        "/v1/secret/data/sys/events/subscribe"}) {
    check_class(target, RequestClass::kData);
    CHECK(may_be_stream(path_of(target)));
  }
}

TEST_CASE("What only looks like a stream is data", "[vault]") {
  for (const std::string_view target :
       {"/v1/sys/monitors", "/v1/xsys/monitor", "/v1/sys/monito", "/v1/sys/events/subscriptions", "/ui/sys/monitor",
        "/v1/secret?sys/monitor", "/v1/sys/moni%zztor", "/v1/sys/monitor%", "/v1/sys%252Fmonitor", "/v1/sys/monitor/x",
        "/v1/secret/data/sys/monitor/x"}) {
    check_class(target, RequestClass::kData);
    CHECK_FALSE(may_be_stream(path_of(target)));
  }
}

TEST_CASE("Snapshots and events are redirected before a node thinks of forwarding", "[vault]") {
  CHECK(is_always_redirected("/v1/sys/storage/raft/snapshot"));
  CHECK(is_always_redirected("/v1/sys/storage/raft/snapshot-force"));
  CHECK(is_always_redirected("/v1/sys/events/subscribe/kv"));
  CHECK_FALSE(is_always_redirected("/v1/sys/storage/raft/snapshot-auto/config"));
  CHECK(is_always_redirected("/v1/sys/storage/raft/snap%73hot"));
  CHECK_FALSE(is_always_redirected("/v1/ns1/sys/storage/raft/snapshot"));
}
