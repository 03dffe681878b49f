#include "admin/endpoints.h"

#include <numeric>

#include "component/net/stream_pair.h"

using namespace bellwether;

TEST_CASE("every connection that made room is told of, however many do at once", "[admin]") {
  constexpr std::uint64_t kTooMany = 8;
  const auto loop = net::testing::make_loop();
  const admin::AdminOptions options;
  std::vector<std::uint64_t> told;
  admin::Endpoints endpoints(
      *loop, options,
      {.ask_state = {}, .carry_out = {}, .on_room_made = [&told](std::uint64_t ended) { told.push_back(ended); }});
  auto socket = net::bind_listener(*net::Address::parse("127.0.0.1:0"), {});
  REQUIRE(socket);
  const net::Address address = *socket->local_address();
  endpoints.listen(std::move(*socket), admin::Rights::kChange);
  std::vector<net::Socket> clients;
  for (std::uint64_t i = 0; i < admin::kMaxControlConnections + kTooMany; ++i) {
    clients.push_back(net::Socket::connect(address, std::nullopt, {}).value());
  }
  const auto sum = [&told] { return std::accumulate(told.begin(), told.end(), std::uint64_t{0}); };
  CHECK(loop->run_until([&] { return sum() >= kTooMany; }, 20s));
  CHECK(sum() == kTooMany);
  CHECK(told.size() < kTooMany);
}
