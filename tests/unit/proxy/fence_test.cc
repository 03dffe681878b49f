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
  Fence fence(2);
  CHECK(fence.on_publish(view(5, 1)) == Fence::Order::kSend);
  CHECK(fence.view()->serial == 1);
}

TEST_CASE("a view of the same epoch goes straight to the workers", "[proxy]") {
  Fence fence(2);
  (void)fence.on_publish(view(1, 1));
  CHECK(fence.on_publish(view(1, 2)) == Fence::Order::kSend);
}

TEST_CASE("a new epoch waits until every worker has confirmed", "[proxy]") {
  Fence fence(2);
  (void)fence.on_publish(view(1, 1));
  CHECK(fence.on_publish(view(2, 2)) == Fence::Order::kHold);
  CHECK(fence.on_ack(fence.round()) == Fence::Order::kNothing);
  CHECK(fence.view()->serial == 1);
  CHECK(fence.on_ack(fence.round()) == Fence::Order::kSend);
  CHECK(fence.view()->serial == 2);
}

TEST_CASE("a newer view takes the place of one that still waits", "[proxy]") {
  Fence fence(1);
  (void)fence.on_publish(view(1, 1));
  (void)fence.on_publish(view(2, 2));
  CHECK(fence.on_publish(view(3, 3)) == Fence::Order::kNothing);
  CHECK(fence.on_ack(fence.round()) == Fence::Order::kSend);
  CHECK(fence.view()->serial == 3);
}

TEST_CASE("a confirmation of an earlier round counts for nothing", "[proxy]") {
  Fence fence(1);
  (void)fence.on_publish(view(1, 1));
  (void)fence.on_publish(view(2, 2));
  const std::uint64_t old = fence.round();
  (void)fence.on_ack(old);
  (void)fence.on_publish(view(3, 3));
  CHECK(fence.on_ack(old) == Fence::Order::kNothing);
  CHECK(fence.on_ack(fence.round()) == Fence::Order::kSend);
}

}  // namespace bellwether::proxy
