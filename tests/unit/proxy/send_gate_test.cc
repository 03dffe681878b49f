#include "proxy/core/send_gate.h"

#include <vector>

#include "catch.hpp"

namespace bellwether::proxy {

TEST_CASE("a worker may not send until it has obeyed, and is not waited for", "[proxy][gate]") {
  SendGate gate(2);
  int told = 0;
  const auto on_left = [](void* count, std::uint64_t) { ++*static_cast<int*>(count); };
  CHECK(gate.close(1).empty());
  CHECK(gate.is_closed(0));
  CHECK_FALSE(SendPermit(gate, 0, on_left, &told));
  gate.obey(0, 1);
  CHECK_FALSE(gate.is_closed(0));
  told = 0;
  {
    const SendPermit permit(gate, 0, on_left, &told);
    CHECK(permit);
    CHECK(gate.close(2) == std::vector<std::size_t>{0});
    CHECK(told == 0);
  }
  CHECK(told == 1);
}

TEST_CASE("who was refused, or has sent, is not waited for and tells it once, if there is something to tell",
          "[proxy][gate]") {
  SendGate gate(1);
  std::vector<std::uint64_t> told;
  const auto on_left = [](void* rounds, std::uint64_t round) {
    static_cast<std::vector<std::uint64_t>*>(rounds)->push_back(round);
  };
  CHECK(SendPermit(gate, 0, on_left, &told));
  CHECK(told.empty());
  CHECK(gate.close(1).empty());
  CHECK_FALSE(SendPermit(gate, 0, on_left, &told));
  CHECK(told == std::vector<std::uint64_t>{1});
  CHECK(gate.close(2).empty());
}

}  // namespace bellwether::proxy
