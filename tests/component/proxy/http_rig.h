#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bellwether/base/assert.h"
#include "bellwether/http/body.h"
#include "bellwether/http/head.h"
#include "catch.hpp"
#include "component/proxy/harness.h"

namespace bellwether::proxy {

// A request as a node saw it, body decoded.
struct Seen {
  std::string line;
  std::string head;  // whole
  std::string body;
};

// A node that speaks HTTP: keeps what it was asked, answers by `answer` (an empty one: stays silent).
class HttpNode {
 public:
  explicit HttpNode(net::Loop& loop) : backend(loop) {
    backend.on_accept = [this](Peer& peer) { peer.on_data = [this](Peer& self, std::string_view) { read(self); }; };
  }
  static std::string ok(std::string_view body) {
    return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
  }
  static std::string error(int status, std::string_view text) {
    const std::string body = "{\"errors\":[\"" + std::string(text) + "\"]}\n";
    return "HTTP/1.1 " + std::to_string(status) +
           " Error\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
           body;
  }

  Backend backend;
  std::vector<Seen> seen;
  std::function<std::string(const Seen&, Peer&)> answer = [](const Seen& asked, Peer&) { return ok(asked.line); };
  std::function<void(Peer&, const http::RequestHead&)> on_head;  // as soon as it is there, once

 private:
  struct Partial {
    bool has_head = false;
    Seen seen;
    http::BodyReader body;
  };

  void read(Peer& peer) {
    while (!peer.received.empty()) {
      Partial& now = partial_[&peer];
      if (!now.has_head) {
        http::RequestHead head;
        const auto parsed = http::parse_request_head(peer.received, {}, head);
        BW_ASSERT(parsed.status != http::ParseStatus::kRejected);
        if (parsed.status == http::ParseStatus::kNeedMore) return;
        now.has_head = true;
        now.seen.head = peer.received.substr(0, head.bytes);
        now.seen.line = now.seen.head.substr(0, now.seen.head.find("\r\n"));
        now.body = http::BodyReader(head.body);
        if (on_head) on_head(peer, head);
        peer.received.erase(0, head.bytes);
      }
      while (!now.body.done() && !peer.received.empty()) {
        const auto bite = now.body.feed(peer.received);
        now.seen.body += bite.content;
        peer.received.erase(0, bite.consumed);
      }
      if (!now.body.done()) return;
      seen.push_back(now.seen);
      const Seen complete = std::move(now.seen);
      partial_.erase(&peer);
      const std::string bytes = answer(complete, peer);
      if (!bytes.empty()) peer.send(bytes);
    }
  }

  std::map<Peer*, Partial> partial_;
};

// An http listener before two nodes; the first leads.
struct HttpRig {
  explicit HttpRig(RigTime time = RigTime::kManual) : rig(time), one(*rig.loop), two(*rig.loop) {
    rig.options.listeners[0].mode = Mode::kHttp;
    n1 = rig.add_node(one.backend.address());
    n2 = rig.add_node(two.backend.address());
  }
  void start() {
    rig.start();
    rig.lead(1, n1);
  }
  [[nodiscard]] bool until_has(const Peer& client, std::string_view text) {
    return rig.until([&] { return client.received.find(text) != std::string::npos; });
  }
  [[nodiscard]] bool advance_until_has(const Peer& client, std::string_view text) {
    return rig.advance_until([&] { return client.received.find(text) != std::string::npos; });
  }
  [[nodiscard]] HttpCounts counts() const { return rig.proxy->counts().http; }

  Rig rig;
  HttpNode one, two;
  NodeId n1, n2;
};

inline std::string get(std::string_view target) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: v\r\nX-Vault-Token: t\r\n\r\n";
}
inline std::string put(std::string_view target, std::string_view body) {
  return "PUT " + std::string(target) +
         " HTTP/1.1\r\nHost: v\r\nX-Vault-Token: t\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}

}  // namespace bellwether::proxy
