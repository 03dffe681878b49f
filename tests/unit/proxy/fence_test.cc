#include "proxy/fence.h"

#include "catch.hpp"

namespace bellwether::proxy {

namespace {

cluster::ViewPtr view(Epoch epoch, std::uint64_t serial) {
  cluster::View made;
  made.epoch = epoch;
  made.serial = serial;
  return std::make_shared<const cluster::View>(made);
}

}  // namespace

TEST_CASE("the first view goes straight to the workers", "[proxy]") {
  Fence fence;
  CHECK(fence.on_publish(view(5, 1)) == Fence::Order::kSend);
  CHECK(fence.view()->serial == 1);
}

TEST_CASE("a view of the same epoch goes straight to the workers", "[proxy]") {
  Fence fence;
  (void)fence.on_publish(view(1, 1));
  CHECK(fence.on_publish(view(1, 2)) == Fence::Order::kSend);
}

TEST_CASE("a new epoch begins at once where nobody is sending", "[proxy]") {
  Fence fence;
  (void)fence.on_publish(view(1, 1));
  CHECK(fence.on_publish(view(2, 2)) == Fence::Order::kClose);
  CHECK(fence.round() == 1);
  CHECK(fence.view()->serial == 1);
  CHECK(fence.on_closed({}) == Fence::Order::kSend);
  CHECK(fence.view()->serial == 2);
}

TEST_CASE("a new epoch waits for each worker that was sending under the old one", "[proxy]") {
  Fence fence;
  (void)fence.on_publish(view(1, 1));
  (void)fence.on_publish(view(2, 2));
  CHECK(fence.on_closed({0, 2}) == Fence::Order::kNothing);
  CHECK(fence.on_left(2, fence.round()) == Fence::Order::kNothing);
  CHECK(fence.on_left(2, fence.round()) == Fence::Order::kNothing);
  CHECK(fence.on_left(1, fence.round()) == Fence::Order::kNothing);
  CHECK(fence.view()->serial == 1);
  CHECK(fence.on_left(0, fence.round()) == Fence::Order::kSend);
  CHECK(fence.view()->serial == 2);
}

TEST_CASE("a newer view takes the place of one that still waits", "[proxy]") {
  Fence fence;
  (void)fence.on_publish(view(1, 1));
  (void)fence.on_publish(view(2, 2));
  (void)fence.on_closed({0});
  CHECK(fence.on_publish(view(3, 3)) == Fence::Order::kNothing);
  CHECK(fence.on_left(0, fence.round()) == Fence::Order::kSend);
  CHECK(fence.view()->serial == 3);
}

TEST_CASE("what a worker says of an earlier round, or too late, counts for nothing", "[proxy]") {
  Fence fence;
  (void)fence.on_publish(view(1, 1));
  (void)fence.on_publish(view(2, 2));
  const std::uint64_t old = fence.round();
  (void)fence.on_closed({});
  CHECK(fence.on_left(0, old) == Fence::Order::kNothing);
  (void)fence.on_publish(view(3, 3));
  (void)fence.on_closed({0});
  CHECK(fence.on_left(0, old) == Fence::Order::kNothing);
  CHECK(fence.on_left(0, fence.round()) == Fence::Order::kSend);
}

}  // namespace bellwether::proxy
