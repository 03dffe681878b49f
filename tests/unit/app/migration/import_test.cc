#include "app/migration/import.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "app/migration/haproxy/addresses.h"
#include "app/migration/haproxy/units.h"
#include "app/migration/times.h"
#include "app/migration/writer.h"
#include "bellwether/config/load.h"
#include "bellwether/config/options.h"
#include "catch.hpp"

using namespace bellwether;
using namespace bellwether::app::migration;

namespace {

constexpr std::string_view kTimes = "defaults\n  timeout connect 5s\n  timeout client 30s\n  timeout server 40s\n";
constexpr std::string_view kServers =
    "  server a 10.0.0.1:8200 check\n  server b 10.0.0.2:8200 check\n  server c 10.0.0.3:8200 check\n";

Surroundings surroundings() {
  Surroundings made;
  made.read_file = [](const std::string& path) -> std::optional<std::string> {
    static const std::map<std::string, std::string> kFiles = {
        {"/etc/list.txt", "# names\n/etc/a.pem [alpn h2] a.example.com\n/etc/b.pem\n\n"}, {"/etc/b.pem.key", "key"}};
    const auto found = kFiles.find(path);
    return found == kFiles.end() ? std::nullopt : std::optional(found->second);
  };
  made.list_directory = [](const std::string& path) -> std::optional<std::vector<std::string>> {
    if (path != "/etc/certs") return std::nullopt;
    return std::vector<std::string>{"one.pem", "one.pem.key", "one.pem.ocsp", "two.pem"};
  };
  return made;
}

Import import(std::string_view text, const std::vector<std::string>& names = {}) {
  return import_haproxy(text, "haproxy.cfg", names, surroundings());
}

// The configuration as the program reads it; whatever is written must be one.
config::Config loaded(const Import& made) {
  for (const std::string& each : made.problems) INFO(each);
  INFO(made.choice);
  REQUIRE(made.is_fine());
  config::Sources sources;
  sources.file = config::File{"bellwether.json", write_configuration(made.plan, "haproxy.cfg")};
  INFO(sources.file->text);
  const config::Loaded result = config::load(sources);
  for (const config::Problem& each : result.problems) FAIL_CHECK(each.to_string());
  REQUIRE(result.problems.empty());
  return result.config;
}

config::Config loaded(std::string_view sections) { return loaded(import(fmt::format("{}{}", kTimes, sections))); }

bool tells(const Import& made, FindingKind kind, int line, std::string_view part) {
  return std::any_of(made.plan.findings.begin(), made.plan.findings.end(), [&](const Finding& each) {
    return each.kind == kind && each.line == line && each.advice.find(part) != std::string::npos;
  });
}

std::string listen_of(std::string_view lines) {
  return fmt::format("listen vault\n  bind 127.0.0.1:8300\n{}{}", lines, kServers);
}

}  // namespace

TEST_CASE("Bytes are passed through where HAProxy passes them through", "[app][migration]") {
  const config::Config config = loaded(listen_of("  mode tcp\n  balance roundrobin\n  option tcp-check\n"));
  REQUIRE(config.listen.size() == 1);
  CHECK(config.listen[0].address == "127.0.0.1:8300");
  CHECK(config.listen[0].mode == config::Mode::kTcp);
  CHECK(config.listen[0].timeout_idle == 30s);
  REQUIRE(config.nodes.size() == 3);
  CHECK(config.nodes[0].url == "https://10.0.0.1:8200");
  CHECK(config.nodes[2].name == "c");
}

TEST_CASE("What HAProxy's file does not tell is decided, and said", "[app][migration]") {
  const Import made = import(fmt::format("{}{}", kTimes, listen_of("  option tcp-check\n")));
  CHECK(tells(made, FindingKind::kDecide, 7, "does not tell whether the nodes speak TLS"));
  CHECK(tells(made, FindingKind::kDecide, 0, "names no CA"));
  CHECK(tells(made, FindingKind::kBetter, 7, "2 of 3 requests to standbys"));
  CHECK_FALSE(made.loses());
}

TEST_CASE("TLS that ends or begins in HAProxy makes an http listener", "[app][migration]") {
  const config::Config ends = loaded(
      "frontend f\n  mode tcp\n  bind :443 ssl crt /etc/own.pem\n  default_backend vault\n"
      "backend vault\n  mode tcp\n  server a 10.0.0.1:8200 ssl verify required ca-file /etc/ca.pem sni "
      "str(v.example)\n");
  CHECK(ends.listen[0].mode == config::Mode::kHttp);
  CHECK(ends.listen[0].address == "0.0.0.0:443");
  CHECK(ends.listen[0].tls_cert[0].cert == "/etc/own.pem");
  CHECK(ends.ca_file == "/etc/ca.pem");
  CHECK(ends.nodes[0].server_name == "v.example");
  CHECK(ends.verify);
  const config::Config begins = loaded(
      "frontend f\n  mode tcp\n  bind :80\n  default_backend vault\n"
      "backend vault\n  mode tcp\n  server a 10.0.0.1:8200 ssl verify none\n");
  CHECK(begins.listen[0].mode == config::Mode::kHttp);
  CHECK_FALSE(begins.listen[0].speaks_tls());
  CHECK_FALSE(begins.verify);
}

TEST_CASE("Whether nodes speak TLS is told by servers, checks and rules", "[app][migration]") {
  const auto scheme = [](std::string_view lines) { return loaded(listen_of(lines)).nodes[0].tls; };
  CHECK_FALSE(scheme("  mode http\n"));
  CHECK_FALSE(scheme("  option httpchk GET /v1/sys/health\n"));
  CHECK(scheme("  option httpchk GET /v1/sys/health\n  default-server check-ssl verify none\n"));
  CHECK(scheme("  option ssl-hello-chk\n"));
  CHECK(scheme("  option httpchk\n  http-check connect ssl\n"));
  CHECK(scheme("  mode http\n  default-server ssl verify none\n"));
}

TEST_CASE("Times and counts are carried over within their limits", "[app][migration]") {
  const config::Config config =
      loaded(listen_of("  mode http\n  timeout check 700\n  timeout http-request 90s\n  timeout server 1500000us\n"
                       "  default-server inter 3000 fastinter 1s downinter 1m fall 5 rise 9\n"));
  CHECK(config.inter == 3s);
  CHECK(config.downinter == 1min);
  CHECK(config.fall == 5);
  CHECK(config.rise == 9);
  CHECK(config.fastinter == config::Config{}.fastinter);
  CHECK(config.timeout_check == 700ms);
  CHECK(config.timeout_connect == 5s);
  CHECK(config.listen[0].timeout_header == 90s);
  CHECK(config.listen[0].timeout_answer == 1500ms);
}

TEST_CASE("Numbers beyond all limits are clamped or left out, and told", "[app][migration]") {
  const Import made = import(
      "defaults\n  timeout connect 99999999999999999999\n  timeout client 0\n  timeout server 20d\n"
      "listen vault\n  bind :8300\n  maxconn 99999999999\n"
      "  server a 10.0.0.1:8200 check inter 1d fall 4000000000 rise 0\n");
  const config::Config config = loaded(made);
  CHECK(tells(made, FindingKind::kDecide, 2, "is not a time"));
  CHECK(tells(made, FindingKind::kDecide, 7, "no whole number"));
  CHECK(config.inter == 30s);
  CHECK(config.fall == 1);
  CHECK(config.rise == 1);
  CHECK(config.listen[0].timeout_idle == 7 * 24h);
  CHECK(tells(made, FindingKind::kDecide, 8, "inter takes 10ms to 30s"));
}

TEST_CASE("Connections are limited by the frontends together, and by the process", "[app][migration]") {
  const auto maxconn = [](std::string_view global, std::string_view first, std::string_view second) {
    return loaded(fmt::format("global\n{}frontend f\n  bind :1\n{}  default_backend v\n"
                              "frontend g\n  bind :2\n{}  default_backend v\nbackend v\n{}",
                              global, first, second, kServers))
        .maxconn;
  };
  CHECK(maxconn("  maxconn 500\n", "  maxconn 100\n", "  maxconn 150\n") == 250);
  CHECK(maxconn("  maxconn 200\n", "  maxconn 100\n", "  maxconn 150\n") == 200);
  CHECK(maxconn("  maxconn 200\n", "  maxconn 100\n", "") == 200);
  CHECK(maxconn("", "  maxconn 100\n", "") == config::Config{}.maxconn);
}

TEST_CASE("Certificates come from files, directories and lists", "[app][migration]") {
  const auto certificates = [](std::string_view words) {
    return loaded(listen_of(fmt::format("  mode http\n  bind :8443 ssl {}\n", words))).listen.at(1).tls_cert;
  };
  CHECK(certificates("crt /etc/a.pem crt /etc/b.pem").size() == 2);
  CHECK(certificates("crt /etc/b.pem").front().key == "/etc/b.pem.key");
  const auto listed = certificates("crt-list /etc/list.txt");
  REQUIRE(listed.size() == 2);
  CHECK(listed[0].cert == "/etc/a.pem");
  CHECK(listed[1].key == "/etc/b.pem.key");
  const auto found = certificates("crt /etc/certs");
  REQUIRE(found.size() == 2);
  CHECK(found[1].cert == "/etc/certs/two.pem");
  const Import lost = import(fmt::format("{}{}", kTimes, listen_of("  bind :8443 ssl crt-list /etc/none\n")));
  CHECK(tells(lost, FindingKind::kLost, 7, "/etc/none cannot be read here"));
}

TEST_CASE("Client certificates, versions and tickets follow the bind line and its defaults", "[app][migration]") {
  const config::Config config = loaded(
      "global\n  ca-base /etc/ca\n  ssl-default-bind-options no-tls-tickets\n"
      "frontend f\n  mode http\n  bind :1 ssl crt /etc/a.pem ca-file c.pem verify required ssl-min-ver TLSv1.3\n"
      "  bind :2 ssl crt /etc/a.pem ca-file c.pem verify optional\n  default_backend v\nbackend v\n"
      "  mode http\n  server a 10.0.0.1:8200\n");
  CHECK(config.listen[0].tls_client_ca == "/etc/ca/c.pem");
  CHECK(config.listen[0].tls_client_auth == config::ClientAuth::kAuto);
  CHECK(config.listen[0].tls_min_version == config::TlsVersion::k13);
  CHECK(config.listen[0].tls_ticket_lifetime == 0s);
  CHECK(config.listen[1].tls_client_auth == config::ClientAuth::kOptional);
  CHECK(config.listen[1].tls_min_version == config::TlsVersion::k12);
}

TEST_CASE("A listener that only sends clients to https is not opened to plain HTTP", "[app][migration]") {
  const Import made = import(
      "frontend f\n  mode http\n  bind :80\n  bind :443 ssl crt /etc/a.pem\n  redirect scheme https if !{ ssl_fc }\n"
      "  default_backend v\nbackend v\n  mode http\n  server a 10.0.0.1:8200\n");
  const config::Config config = loaded(made);
  REQUIRE(config.listen.size() == 1);
  CHECK(config.listen[0].address == "0.0.0.0:443");
  CHECK(tells(made, FindingKind::kLost, 5, "from http:// to https://"));
}

TEST_CASE("The addresses of bind lines", "[app][migration]") {
  const auto read = [](std::string_view text) {
    const BindAddresses found = parse_bind_addresses(text);
    return fmt::format("{}", fmt::join(found.addresses, " ")) + (found.refused.empty() ? "" : " !");
  };
  CHECK(read("*:8200") == "0.0.0.0:8200");
  CHECK(read(":8200") == "0.0.0.0:8200");
  CHECK(read(":::8200") == "[::]:8200");
  CHECK(read("[::1]:8200") == "[::1]:8200");
  CHECK(read("ipv6@:8200") == "[::]:8200");
  CHECK(read("ipv4@10.0.0.1:80,10.0.0.2:81") == "10.0.0.1:80 10.0.0.2:81");
  CHECK(read("10.0.0.1:80-82") == "10.0.0.1:80 10.0.0.1:81 10.0.0.1:82");
  CHECK(read("unix@/run/v.sock") == "unix:/run/v.sock");
  CHECK(read("/run/v.sock") == "unix:/run/v.sock");
  CHECK(read("localhost:80") == "127.0.0.1:80");
  for (const std::string_view bad : {"abns@x", "fd@3", "host.example:80", "*:1-70000", "*:9-1", "*", "*:0", "unix@x",
                                     "quic4@:443", "*:4294967376"}) {
    CHECK(read(bad) == " !");
  }
}

TEST_CASE("The addresses of servers", "[app][migration]") {
  CHECK(parse_server_address("10.0.0.1:8200")->is_numeric);
  CHECK(parse_server_address("fd00::1:8200")->host == "fd00::1");
  CHECK(parse_server_address("[fd00::1]:8200")->port == 8200);
  CHECK(parse_server_address("ipv4@Vault1:8200")->host == "vault1");
  CHECK(parse_server_address("vault1")->port == 0);
  CHECK(parse_server_address("10.0.0.1:+1")->port == 0);
  CHECK(parse_server_address("_vault._tcp.service.consul")->is_service);
  CHECK_FALSE(parse_server_address("unix@/run/x").has_value());
  CHECK_FALSE(parse_server_address("/run/x").has_value());
  CHECK_FALSE(parse_server_address("0.0.0.0:80").has_value());
  CHECK_FALSE(parse_server_address("").has_value());
  CHECK_FALSE(parse_server_address("a b:1").has_value());
}

TEST_CASE("Times as HAProxy reads them", "[app][migration]") {
  CHECK(parse_time("5") == Duration(5ms));
  CHECK(parse_time("5us") == Duration(5us));
  CHECK(parse_time("2m") == Duration(2min));
  CHECK(parse_time("1d") == Duration(24h));
  for (const std::string_view bad : {"", "s", "1.5s", "-1", "5 s", "5ns", "999999999999d", "1w"}) {
    CHECK_FALSE(parse_time(bad).has_value());
  }
}

TEST_CASE("Names by DNS become one name or a service", "[app][migration]") {
  const config::Config config = loaded(
      "resolvers r\n  nameserver a 10.0.0.53:53\nlisten vault\n  bind :1\n  mode http\n"
      "  server-template v 5 _vault._tcp.service.consul resolvers r\n  server-template w 1-3 vault.svc:8200\n");
  REQUIRE(config.nodes.size() == 2);
  CHECK(config.nodes[0].url == "srv+http://_vault._tcp.service.consul");
  CHECK(config.nodes[1].url == "http://vault.svc:8200");
}

TEST_CASE("Of several clusters one must be chosen, and the choices are named", "[app][migration]") {
  const std::string two =
      "listen eu\n  bind :1\n  mode http\n  server a 10.0.0.1:8200\n"
      "backend us\n  mode http\n  server a 10.0.1.1:8200\nfrontend f\n  mode http\n  bind :2\n  default_backend us\n";
  const Import undecided = import(two);
  CHECK_THAT(undecided.choice, CATCH_CONTAINS("--listen eu   (line 1, 1 servers)"));
  CHECK_THAT(undecided.choice, CATCH_CONTAINS("--backend us   (line 5, 1 servers)"));
  CHECK(loaded(import(two, {"us"})).listen[0].address == "0.0.0.0:2");
  CHECK(loaded(import(two, {"eu"})).nodes[0].url == "http://10.0.0.1:8200");
  CHECK(loaded(import(two, {"eu", "us"})).nodes.size() == 2);
  CHECK_THAT(import(two, {"asia"}).choice, CATCH_CONTAINS("no backend or listen section \"asia\""));
  CHECK_THAT(import("frontend f\n  bind :1\n").choice, CATCH_CONTAINS("nothing to import"));
}

TEST_CASE("A cluster is known among others by port, check or name", "[app][migration]") {
  const auto chosen = [](std::string_view section) {
    return import(fmt::format("backend web\n  server w 10.0.9.1:80\n{}", section)).plan.cluster;
  };
  CHECK(chosen("backend x\n  server a 10.0.0.1:8200\n") == "backend x");
  CHECK(chosen("backend x\n  option httpchk GET /v1/sys/health\n  server a 10.0.0.1:443\n") == "backend x");
  CHECK(chosen("backend my-openbao\n  server a 10.0.0.1:443\n") == "backend my-openbao");
  CHECK(chosen("backend vault-cluster\n  server a 10.0.0.1:8201\nbackend y\n  server a 10.0.0.1:8200\n") ==
        "backend y");
}

TEST_CASE("A frontend that leads elsewhere too loses its rules, and says so", "[app][migration]") {
  const Import made = import(
      "frontend f\n  mode http\n  bind :443 ssl crt /etc/a.pem\n  acl is_vault hdr(host) vault.example.com\n"
      "  use_backend vault if is_vault\n  default_backend web\n"
      "backend vault\n  mode http\n  server a 10.0.0.1:8200\nbackend web\n  server w 10.0.9.1:80\n");
  loaded(made);
  CHECK(tells(made, FindingKind::kLost, 1, "leads clients to other backends too"));
  CHECK(tells(made, FindingKind::kNote, 5, "the condition is left out"));
}

TEST_CASE("Every keyword and parameter that is not known is lost by name", "[app][migration]") {
  const Import made = import(
      "global\n  frobnicate 1\nlisten vault\n  bind :1 sparkle\n  wibble\n  server a 10.0.0.1:8200 wobble check\n");
  loaded(made);
  CHECK(tells(made, FindingKind::kLost, 2, "\"frobnicate\" is not known"));
  CHECK(tells(made, FindingKind::kLost, 4, "\"sparkle\" is not known"));
  CHECK(tells(made, FindingKind::kLost, 5, "\"wibble\" is not known"));
  CHECK(tells(made, FindingKind::kLost, 6, "\"wobble\" is not known"));
}

TEST_CASE("No text of the old file leaves its comment or its string", "[app][migration]") {
  const Import made = import(
      "listen vault\n  bind :8443 ssl crt \"/etc/a\\\"b\\n}\\x01.pem\"\n  description \"*/ \\n }\"\n  log \"\\n{\"\n"
      "  mode http\n  server a 10.0.0.1:8200 cookie \"\\n\\\"nodes\\\": []\"\n");
  CHECK(loaded(made).listen[0].tls_cert[0].cert == "/etc/a\"b\n}\x01.pem");
}

TEST_CASE("No secret is repeated", "[app][migration]") {
  const Import made = import(
      "userlist u\n  user x insecure-password hunter2\nlisten vault\n  bind :1\n  mode http\n  stats auth a:hunter2\n"
      "  http-request set-header X-Vault-Token hunter2\n  http-check send meth GET hdr X-Vault-Token hunter2\n"
      "  server a 10.0.0.1:8200\n");
  CHECK(write_configuration(made.plan, "haproxy.cfg").find("hunter2") == std::string::npos);
  CHECK(made.loses());
}

TEST_CASE("Large and hostile files end in bounded work", "[app][migration]") {
  std::string many = "listen vault\n  bind :1\n  mode http\n";
  for (int i = 0; i < 100'000; ++i)
    many += fmt::format("  server s{} 10.{}.{}.{}:8200 backup\n", i, i >> 16, (i >> 8) & 255, i & 255);
  const Import made = import(many);
  CHECK(made.plan.nodes.size() == 64);
  CHECK(made.plan.findings.size() <= 1001);
  CHECK(made.loses());
  CHECK_FALSE(import(std::string(1'000'000, 'x')).is_fine());
  CHECK_FALSE(import(std::string("listen a\0b\n", 11)).is_fine());
  CHECK_FALSE(import("listen a\n  server x unix@/run/x\n").is_fine());
}

TEST_CASE("Each option that is written exists, with the limits that are used", "[app][migration]") {
  for (const TimeOption& each : kTimeOptions) {
    const config::Option* option = config::find_option(each.key);
    INFO(each.key);
    REQUIRE(option != nullptr);
    const auto* field = std::get_if<config::DurationField>(&option->field);
    REQUIRE(field != nullptr);
    CHECK(field->min <= each.min);
    CHECK(field->max >= each.max);
  }
  const Import made = import(
      "global\n  maxconn 9\n  nbthread 2\n  hard-stop-after 9s\n  ssl-default-bind-options no-tls-tickets ssl-min-ver "
      "TLSv1.3\n"
      "listen stats\n  bind 127.0.0.1:9\n  mode http\n  stats enable\n"
      "listen vault\n  mode http\n  bind :1 ssl crt /a ca-file /c verify optional accept-proxy\n  option httplog\n"
      "  option tcplog\n  option forwardfor except 10.0.0.0/8\n  timeout check 1s\n  timeout connect 1s\n"
      "  timeout client 1s\n  timeout server 1s\n  timeout http-request 1s\n  source 10.0.0.5\n"
      "  server a 10.0.0.1:8200 ssl verify none ca-file /c crt /k sni str(x) inter 2s downinter 2s fastinter 1s fall 1 "
      "rise 1 send-proxy\n");
  std::set<std::string_view> keys;
  for (const Setting& each : made.plan.settings) keys.insert(each.key);
  for (const Setting& each : made.plan.listeners.front().settings) {
    CHECK(config::find_option(each.key)->scope == config::Scope::kListener);
    keys.insert(each.key);
  }
  CHECK(keys.size() == 31);  // all that an import may write, but "listen" and "nodes"
  for (const std::string_view each : keys) {
    INFO(each);
    CHECK(config::find_option(each) != nullptr);
  }
  loaded(made);
}
