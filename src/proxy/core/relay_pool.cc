#include "relay_pool.h"

#include <utility>

#include "bellwether/base/assert.h"

namespace bellwether::proxy {

std::span<char> RelayPool::buffer(std::size_t size) {
  if (!buffer_) buffer_ = std::make_unique<char[]>(kBulkReadSize);
  return {buffer_.get(), size};
}

std::unique_ptr<net::Pipe> RelayPool::take_pipe() {
  if (!spare_.empty()) {
    auto pipe = std::move(spare_.back());
    spare_.pop_back();
    return pipe;
  }
  if (pipes_ == kMaxPipes) return nullptr;
  auto pipe = net::Pipe::create();
  if (!pipe) return nullptr;
  ++pipes_;
  return std::make_unique<net::Pipe>(std::move(*pipe));
}

void RelayPool::give_back(std::unique_ptr<net::Pipe> pipe) { spare_.push_back(std::move(pipe)); }

void RelayPool::discard(std::unique_ptr<net::Pipe> pipe) {
  BW_ASSERT(pipe && pipes_ > 0);
  --pipes_;
}

}  // namespace bellwether::proxy
