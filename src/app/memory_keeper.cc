#include "memory_keeper.h"

#include <utility>

#include "bellwether/net/process.h"

namespace bellwether::app {
namespace {

constexpr Duration kLookInterval = 1s;

}  // namespace

MemoryKeeper::MemoryKeeper(net::Loop& loop, std::function<std::size_t()> in_use)
    : in_use_(std::move(in_use)), timer_(loop, [this] { look(); }) {}

void MemoryKeeper::on_traffic() {
  if (!timer_.is_armed()) timer_.arm_in(kLookInterval);
}

void MemoryKeeper::look() {
  if (watch_.is_over(in_use_())) net::give_back_free_memory();
  if (watch_.is_due_again()) timer_.arm_in(kLookInterval);
}

}  // namespace bellwether::app
