#include "proxy/core/view_lease.h"

#include "catch.hpp"

namespace bellwether::proxy {
namespace {

TimePoint at(Duration since_start) { return TimePoint{} + 1h + since_start; }

}  // namespace

TEST_CASE("a view is sent by as long as nobody has stood still, however old its claim", "[proxy]") {
  ViewLease lease(100ms);
  CHECK(lease.is_valid({}, at(0s)));
  lease.on_new_leader(at(0s));
  CHECK(lease.is_valid({}, at(1h)));
}

TEST_CASE("after the worker's own stop only a claim that was asked for since then counts", "[proxy]") {
  ViewLease lease(100ms);
  lease.on_new_leader(at(0s));
  lease.on_stopped(at(5s));
  CHECK_FALSE(lease.is_valid({}, at(5s)));
  CHECK(lease.needs_claim_since({}) == at(5s));
  SECTION("an answer that lay in a buffer does not") {
    lease.on_claim(at(4900ms));
    CHECK_FALSE(lease.is_valid({}, at(6s)));
  }
  SECTION("nor does a new leader that was elected by one") {
    lease.on_new_leader(at(4900ms));
    CHECK_FALSE(lease.is_valid({}, at(6s)));
  }
  SECTION("the same leader's does") {
    lease.on_claim(at(5s));
    CHECK(lease.is_valid({}, at(6s)));
  }
  SECTION("another leader's does") {
    lease.on_new_leader(at(5001ms));
    CHECK(lease.is_valid({}, at(6s)));
    lease.on_claim(at(1s));
    CHECK(lease.is_valid({}, at(6s)));
  }
}

TEST_CASE("the former leader's claim does not speak for its successor", "[proxy]") {
  ViewLease lease(100ms);
  lease.on_new_leader(at(0s));
  lease.on_stopped(at(5s));
  lease.on_claim(at(6s));
  lease.on_new_leader(at(4s));
  CHECK_FALSE(lease.is_valid({}, at(7s)));
}

TEST_CASE("nothing is sent while the control thread is overdue, nor by what it knew before", "[proxy]") {
  ViewLease lease(100ms);
  lease.on_new_leader(at(0s));
  ViewLease::ControlState control{at(1s), TimePoint::min()};
  CHECK(lease.is_valid(control, at(1s)));
  CHECK(lease.is_valid(control, at(1100ms)));
  CHECK_FALSE(lease.is_valid(control, at(1101ms)));
  control = {at(3s), at(2s)};  // it runs again, and has noticed
  CHECK_FALSE(lease.is_valid(control, at(2s)));
  CHECK(lease.needs_claim_since(control) == at(2s));
  lease.on_claim(at(2s));
  CHECK(lease.is_valid(control, at(2s)));
}

TEST_CASE("of two stops the later one counts", "[proxy]") {
  ViewLease lease(100ms);
  lease.on_new_leader(at(0s));
  lease.on_stopped(at(5s));
  CHECK(lease.needs_claim_since({kNever, at(6s)}) == at(6s));
  CHECK(lease.needs_claim_since({kNever, at(4s)}) == at(5s));
}

}  // namespace bellwether::proxy
