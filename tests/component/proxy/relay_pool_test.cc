#include "proxy/core/relay_pool.h"

#include "catch.hpp"

namespace bellwether::proxy {

TEST_CASE("a pool lends so many pipes and no more, and one that was discarded makes room for another",
          "[proxy][relay_pool]") {
  RelayPool pool;
  std::vector<std::unique_ptr<net::Pipe>> pipes;
  for (std::size_t i = 0; i < RelayPool::kMaxPipes; ++i) {
    pipes.push_back(pool.take_pipe());
    REQUIRE(pipes.back());
  }
  CHECK_FALSE(pool.take_pipe());
  pool.discard(std::move(pipes.back()));
  CHECK(pool.take_pipe());
  CHECK_FALSE(pool.take_pipe());
}

TEST_CASE("a pipe that was given back is the next that is lent", "[proxy][relay_pool]") {
  RelayPool pool;
  auto pipe = pool.take_pipe();
  REQUIRE(pipe);
  const int fd = pipe->read_fd();
  auto other = pool.take_pipe();
  pool.give_back(std::move(pipe));
  const auto again = pool.take_pipe();
  REQUIRE(again);
  CHECK(again->read_fd() == fd);
}

TEST_CASE("one read buffer serves all reads of a worker", "[proxy][relay_pool]") {
  RelayPool pool;
  const auto small = pool.buffer(RelayPool::kReadSize);
  const auto big = pool.buffer(RelayPool::kBulkReadSize);
  CHECK(small.data() == big.data());
  CHECK(small.size() == RelayPool::kReadSize);
  CHECK(big.size() == RelayPool::kBulkReadSize);
  big.back() = 'x';
}

}  // namespace bellwether::proxy
