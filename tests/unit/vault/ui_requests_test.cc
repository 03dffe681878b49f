#include "bellwether/vault/ui_requests.h"

#include "bellwether/vault/request_class.h"
#include "catch.hpp"

using namespace bellwether::vault;

TEST_CASE("The UI's own files come from any node", "[vault]") {
  for (const std::string_view path :
       {"/", "/ui", "/ui/", "/ui/vault/auth", "/ui/assets/vault-1.css", "/ui/favicon.png"}) {
    CAPTURE(path);
    CHECK(is_ui_file("GET", path));
    CHECK(is_ui_file("HEAD", path));
    CHECK(classify("GET", path) == RequestClass::kNodeLocal);
    CHECK_FALSE(is_ui_file("POST", path));
    CHECK(classify("PUT", path) == RequestClass::kData);
  }
  for (const std::string_view path : {"/ui/../v1/secret/a", "/ui//v1/secret", "/%75i/", "/ui/%2e%2e/v1/a", "/uix", "//",
                                      "/v1/ui/", "*", "", "/UI/", "/ui/./a"}) {
    CAPTURE(path);
    CHECK_FALSE(is_ui_file("GET", path));
  }
}

TEST_CASE("What the UI asks without a token is no other client's question", "[vault]") {
  for (const std::string_view path :
       {"/v1/sys/internal/ui/mounts", "/v1/sys/internal/ui/feature-flags", "/v1/sys/replication/status",
        "/v1/sys/internal/ui/unauthenticated-messages", "/v1/sys/license/features"}) {
    CAPTURE(path);
    CHECK(is_ui_question("GET", path, false));
    CHECK_FALSE(is_ui_question("GET", path, true));
    CHECK_FALSE(is_ui_question("PUT", path, false));
    CHECK(classify("GET", path) == RequestClass::kData);
  }
  for (const std::string_view path :
       {"/v1/sys/internal/ui", "/v1/sys/internal/ui/../../../secret/a", "/v1/sys/internal/u%69/mounts",
        "/v1/ns/sys/internal/ui/mounts", "/v1/sys/mounts"}) {
    CAPTURE(path);
    CHECK_FALSE(is_ui_question("GET", path, false));
  }
}
