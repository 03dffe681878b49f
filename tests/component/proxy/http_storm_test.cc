#include "component/proxy/http_rig.h"

namespace bellwether::proxy {
namespace {

// Writes numbered entries one after the other on one connection.
struct Writer {
  Writer(Rig& rig, int number) : id(number), peer(rig.client()) {
    peer->on_data = [this](Peer& self, std::string_view) { on_answer(self); };
    ask();
  }
  void ask() { peer->send(put("/v1/kv/" + std::to_string(id) + "-" + std::to_string(next), "value")); }
  void on_answer(Peer& self) {
    if (!self.received.ends_with("written")) return;
    if (!self.received.starts_with("HTTP/1.1 200 ")) ++errors;
    self.received.clear();
    ++next;
    if (!stopped) ask();
  }

  int id;
  int next = 0;
  int errors = 0;
  bool stopped = false;
  std::unique_ptr<Peer> peer;
};

}  // namespace

TEST_CASE("while the leader changes again and again every write is executed once and answered", "[proxy][http]") {
  HttpRig it;
  it.rig.options.threads = 2;
  std::map<std::string, int> executed;
  HttpNode* leader = &it.one;
  for (HttpNode* node : {&it.one, &it.two}) {
    node->answer = [&, node](const Seen& asked, Peer&) {
      if (node != leader) return HttpNode::error(500, "local node not active but active cluster node not found");
      ++executed[asked.line];
      return HttpNode::ok("written");
    };
  }
  it.start();
  std::vector<std::unique_ptr<Writer>> writers;
  for (int i = 0; i < 8; ++i) writers.push_back(std::make_unique<Writer>(it.rig, i));
  const auto written = [&] {
    int sum = 0;
    for (const auto& writer : writers) sum += writer->next;
    return sum;
  };
  for (Epoch epoch = 2; epoch < 22; ++epoch) {
    const int before = written();
    REQUIRE(it.rig.until([&] { return written() >= before + 40; }));
    leader = leader == &it.one ? &it.two : &it.one;
    // The old one denies for a while before the view knows.
    const std::uint64_t resent = it.counts().held + it.rig.proxy->counts().held_now;
    REQUIRE(it.rig.until([&] { return it.counts().held + it.rig.proxy->counts().held_now > resent; }));
    it.rig.no_leader(epoch - 1);
    it.rig.lead(epoch, leader == &it.one ? it.n1 : it.n2);
  }
  for (auto& writer : writers) writer->stopped = true;
  REQUIRE(it.rig.until([&] { return it.counts().requests_now == 0; }));
  REQUIRE(it.rig.until([&] { return static_cast<std::size_t>(written()) == executed.size(); }));
  for (const auto& [line, times] : executed) {
    CAPTURE(line);
    CHECK(times == 1);
  }
  for (const auto& writer : writers) CHECK(writer->errors == 0);
  CHECK(it.counts().ambiguous == 0);
  CHECK(it.counts().unserved == 0);
  CHECK(it.counts().resent >= 20);
}

}  // namespace bellwether::proxy
