#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "catch.hpp"
#include "component/proxy/harness.h"

namespace bellwether::proxy {

// A redirect listener before two nodes, neither of which is ever connected to.
struct RedirectRig {
  explicit RedirectRig(RigTime time = RigTime::kManual) : rig(time) {
    rig.options.listeners[0].mode = Mode::kRedirect;
    n1 = rig.add_node(*net::Address::parse("127.0.0.1:1"), "https://vault1.example:8200");
    n2 = rig.add_node(*net::Address::parse("127.0.0.1:2"), "https://vault2.example:8200/");
  }
  void start_with_leader() {
    rig.start();
    rig.lead(1, n1);
  }
  std::string get(const std::string& target, const std::string& host = "vault.example") {
    return ask("GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
  }
  std::string ask(std::string_view request) {
    auto client = rig.client();
    client->send(request);
    REQUIRE(rig.until([&] { return is_answered(*client); }));
    return client->received;
  }
  static bool is_answered(const Peer& client) { return client.received.find("\r\n\r\n") != std::string::npos; }
  static std::size_t count(const Peer& client, std::string_view text) {
    std::size_t found = 0;
    for (std::size_t at = client.received.find(text); at != std::string::npos;
         at = client.received.find(text, at + text.size()))
      ++found;
    return found;
  }
  [[nodiscard]] bool until_redirected(const Peer& client, std::size_t times = 1) {
    return rig.until([&] { return count(client, "HTTP/1.1 307 ") == times; });
  }
  [[nodiscard]] bool until_held(std::uint64_t requests) {
    return rig.until([&] { return rig.proxy->counts().held_now == requests; });
  }
  [[nodiscard]] bool until_over(const Peer& client) {
    return rig.until([&] { return client.is_over(); });
  }
  static std::string put_head(const std::string& target, const std::string& framing) {
    return "PUT " + target + " HTTP/1.1\r\nHost: v\r\n" + framing + "\r\n\r\n";
  }

  Rig rig;
  NodeId n1, n2;
};

}  // namespace bellwether::proxy
