#include "app/cli/status_text.h"

#include "catch.hpp"

using bellwether::app::status_text;

TEST_CASE("the status in a terminal names leader, nodes and the last changes", "[app]") {
  const auto text = status_text(R"({
    "leader": {"name": "n2", "since": "2026-11-21T03:42:00.123Z", "since_seconds": 90}, "epoch": 4,
    "nodes": [{"name": "n1", "leader": false, "role": "standby", "up": true, "admin": "ready",
               "last_answer_age_ms": 420, "latency_ms": 1.25, "version": "2.6.2"},
              {"name": "n3", "role": "silent", "up": false, "admin": "drain", "last_answer_age_ms": null,
               "failure": "refused"}],
    "changes": [{"time": "2026-11-21T03:42:00.123Z", "from": "n1", "to": "n2", "leaderless_ms": 531, "why": "n1 says standby"}]})");
  REQUIRE(text);
  CHECK_THAT(*text, CATCH_CONTAINS("n2 leads since 2026-11-21T03:42:00.123Z (90.0s), epoch 4"));
  CHECK_THAT(*text, CATCH_CONTAINS("420ms ago"));
  CHECK_THAT(*text, CATCH_CONTAINS("never"));
  CHECK_THAT(*text, CATCH_CONTAINS("refused"));
  CHECK_THAT(*text, CATCH_CONTAINS("531ms"));
}

TEST_CASE("without a leader the status says why requests wait", "[app]") {
  const auto text = status_text(
      R"({"leader": null, "leaderless_since": "2026-11-21T03:42:00.123Z", "leaderless_seconds": 3.25,
          "leaderless_because": "all 3 nodes are sealed; unseal them", "leaderless_causes": ["n1, n2: is sealed"],
          "hold": {"reason": "no_leader", "why": "n2 sealed itself"}, "nodes": []})");
  REQUIRE(text);
  CHECK_THAT(*text, CATCH_CONTAINS("no leader since 2026-11-21T03:42:00.123Z (3.2s), requests wait: all 3 nodes are "
                                   "sealed; unseal them\n"));
  CHECK_THAT(*text, CATCH_CONTAINS("\n  n1, n2: is sealed\n"));
}

TEST_CASE("who contests the leader is named", "[app]") {
  const auto text = status_text(
      R"({"leader": {"name": "n2", "since": "2026-11-21T03:42:00.123Z", "since_seconds": 90}, "epoch": 4,
          "conflict": "n3", "nodes": []})");
  REQUIRE(text);
  CHECK_THAT(*text, CATCH_CONTAINS("epoch 4; n3 claims to lead as well\n"));
}

TEST_CASE("a pause is told with its end, and how to end it", "[app]") {
  const auto text = status_text(
      R"({"leader": {"name": "n2", "since": "2026-11-21T03:42:00.123Z", "since_seconds": 90}, "epoch": 4, "nodes": [],
          "hold": {"reason": "paused", "why": "paused by the operator"},
          "paused_until": "2026-11-21T03:43:00.000Z", "paused_seconds_left": 12.5})");
  REQUIRE(text);
  CHECK_THAT(*text, CATCH_CONTAINS("epoch 4: paused by the operator; new requests wait until 2026-11-21T03:43:00.000Z "
                                   "(12.5s left) or `bellwether resume`"));
}

TEST_CASE("what is not a status is refused, whatever its types", "[app]") {
  CHECK_FALSE(status_text("<html>"));
  CHECK_FALSE(status_text("[]"));
  CHECK_FALSE(status_text(R"({"nodes": 7})"));
  CHECK(status_text(R"({"nodes": [7, null], "leader": 3, "changes": "none", "hold": []})"));
}

TEST_CASE("a configuration that is not in force, or not wholly, is told with its errors", "[app][reload]") {
  const auto refused = status_text(
      R"({"leader": null, "nodes": [], "config": {"read": "2026-11-21T03:42:00.123Z", "current": false,
          "last_reload": {"problems": ["b.json:1:3: no"], "needs_restart": []}}})");
  REQUIRE(refused);
  CHECK_THAT(*refused, CATCH_CONTAINS("\nThe configuration of 2026-11-21T03:42:00.123Z is in force; the last one was "
                                      "refused:\n  b.json:1:3: no\n"));
  const auto partly =
      status_text(R"({"leader": null, "nodes": [], "config": {"last_reload": {"needs_restart": ["maxconn 1 -> 2"]}}})");
  REQUIRE(partly);
  CHECK_THAT(*partly, CATCH_CONTAINS("\n  needs a restart: maxconn 1 -> 2\n"));
  CHECK(status_text(R"({"leader": null, "nodes": [], "config": {"last_reload": 3}})"));
}

TEST_CASE("a name without an answer is told", "[app]") {
  const auto with = [](const std::string& names) {
    return status_text(R"({"leader": null, "nodes": [], "names": )" + names + "}").value();
  };
  CHECK_THAT(with(R"([{"host": "bao:8200", "answered": "2026-11-21T03:42:00.123Z", "problem": "it has no address"}])"),
             CATCH_CONTAINS("\nThere is no answer about bao:8200: it has no address; what was known of it stays (last "
                            "answered 2026-11-21T03:42:00.123Z)\n"));
  CHECK(with(R"([{"host": "bao:8200", "answered": "2026-11-21T03:42:00.123Z", "problem": null}])").find("bao") ==
        std::string::npos);
  CHECK(with("[null, 7]").find("answer about") == std::string::npos);
}

TEST_CASE("the level of the log is told while it is not the configured one", "[app]") {
  const auto with = [](const std::string& level) {
    return status_text(R"({"leader": null, "nodes": [], "log_level": )" + level + "}").value();
  };
  CHECK_THAT(
      with(R"({"level": "debug", "configured": "info", "until": "2026-11-21T03:42:00.123Z", "seconds_left": 540})"),
      CATCH_CONTAINS("\nThe level of the log is debug for another 9min (until 2026-11-21T03:42:00.123Z), then "
                     "info, as configured\n"));
  CHECK_THAT(
      with(R"({"level": "warn", "configured": "info", "until": null, "seconds_left": null})"),
      CATCH_CONTAINS("\nThe level of the log is warn until another order or the next start; info is configured\n"));
  CHECK(with(R"({"level": "info", "configured": "info", "until": null, "seconds_left": null})").find("log") ==
        std::string::npos);
  CHECK(with("null").find("log") == std::string::npos);
}

TEST_CASE("the status of several clusters has each under its name, and what is of the process once",
          "[app][clusters]") {
  const auto text = status_text(R"({"clusters": [
      {"cluster": "east", "leader": {"name": "n2", "since": "2026-11-21T03:42:00.123Z", "since_seconds": 90}, "epoch": 4,
       "nodes": []},
      {"cluster": "west", "leader": null, "nodes": []}],
    "config": {"last_reload": {"needs_restart": ["maxconn 1 -> 2"]}}})");
  REQUIRE(text);
  const std::size_t east = text->find("cluster east\nn2 leads since 2026-11-21T03:42:00.123Z (90.0s), epoch 4\n");
  const std::size_t west = text->find("\n\ncluster west\nno leader, requests wait\n");
  CHECK(east == 0);
  CHECK(west != std::string::npos);
  CHECK(text->find("needs a restart: maxconn 1 -> 2") > west);
  CHECK(text->find("needs a restart") == text->rfind("needs a restart"));
}

TEST_CASE("what is not the status of several clusters is refused", "[app][clusters]") {
  CHECK_FALSE(status_text(R"({"clusters": 7})"));
  CHECK_FALSE(status_text(R"({"clusters": [{"cluster": "east"}]})"));
}
