#include "memory_keeper.h"

#include <utility>

#include "bellwether/net/process.h"

namespace bellwether::app {
namespace {

// A burst that comes and goes between two looks is not seen; whether it is over is judged more rarely, for to give
// memory back costs time.
constexpr Duration kLookInterval = 100ms;
constexpr int kLooksPerVerdict = 10;

}  // namespace

MemoryKeeper::MemoryKeeper(net::Loop& loop, std::function<std::size_t()> in_use)
    : in_use_(std::move(in_use)), timer_(loop, [this] { look(); }) {}

void MemoryKeeper::on_traffic() {
  if (!timer_.is_armed()) timer_.arm_in(kLookInterval);
}

void MemoryKeeper::look() {
  const std::size_t in_use = in_use_();
  watch_.note(in_use);
  looks_ = (looks_ + 1) % kLooksPerVerdict;
  if (looks_ == 0 && watch_.is_over(in_use)) net::give_back_free_memory();
  if (watch_.is_due_again()) timer_.arm_in(kLookInterval);
}

}  // namespace bellwether::app
