#pragma once

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bellwether/probe/prober.h"
#include "catch.hpp"
#include "component/net/stream_pair.h"

namespace bellwether::probe::testing {

inline constexpr Duration kPatience = 10s;

using net::testing::pass;

// The prober before some nodes, in a hurry.
class Watch {
 public:
  explicit Watch(net::Loop& loop) : loop_(loop) {
    options.tracker.inter = 40ms;
    options.tracker.downinter = 40ms;
    options.tracker.fastinter = 10ms;
  }

  void add(std::optional<net::Address> address) {
    const std::string name = "n" + std::to_string(options.targets.size() + 1);
    descriptions_.push_back({name, "http://" + name});
    options.targets.push_back({name, address, nullptr, "", "vault.test"});
  }

  void start() {
    options.tracker.topology = cluster::first_topology(descriptions_);
    prober = std::make_unique<Prober>(
        loop_, options, [this](const cluster::ViewPtr& view) { views.push_back(view); },
        [this](const std::vector<cluster::Event>& some) { events.insert(events.end(), some.begin(), some.end()); });
    prober->start();
  }

  [[nodiscard]] bool until(const std::function<bool()>& condition) {
    return net::testing::pass_until(loop_, condition, kPatience);
  }
  [[nodiscard]] bool leader_is(int index) const {
    return prober->view()->target() == NodeId{static_cast<std::uint32_t>(index)};
  }
  [[nodiscard]] bool saw(cluster::EventKind kind) const {
    return std::any_of(events.begin(), events.end(), [&](const auto& event) { return event.kind == kind; });
  }

  ProberOptions options;
  std::unique_ptr<Prober> prober;
  std::vector<cluster::ViewPtr> views;
  std::vector<cluster::Event> events;

 private:
  net::Loop& loop_;
  std::vector<cluster::NodeDescription> descriptions_;
};

// What a node reads first: a probe's head, behind its PROXY header.
inline std::string first_probe(net::ProxyVersion version) {
  const net::testing::ManualLoop loop;
  net::testing::MuteListener node(*loop);
  Watch watch(*loop);
  watch.options.send_proxy = version;
  watch.add(node.listener.address());
  watch.start();
  std::string got;
  REQUIRE(watch.until([&] {
    std::array<char, 1024> chunk{};
    if (!node.accepted.empty()) {
      const auto read = node.accepted.front().read(chunk);
      if (read.status == net::IoStatus::kOk) got.append(chunk.data(), read.bytes);
    }
    return got.find("\r\n\r\n") != std::string::npos;
  }));
  return got;
}

}  // namespace bellwether::probe::testing
