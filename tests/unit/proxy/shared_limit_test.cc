#include "catch.hpp"
#include "proxy/core/hold.h"

namespace bellwether::proxy {

TEST_CASE("there are as many places as were said, and one that is given back is free", "[proxy][hold]") {
  SharedLimit limit(3);
  CHECK_FALSE(limit.is_half_full());
  CHECK(limit.try_acquire());
  CHECK(limit.is_half_full());
  CHECK(limit.try_acquire());
  CHECK_FALSE(limit.is_full());
  CHECK(limit.try_acquire());
  CHECK(limit.is_full());
  CHECK_FALSE(limit.try_acquire());
  limit.release();
  CHECK_FALSE(limit.is_full());
  CHECK(limit.try_acquire());
  CHECK_FALSE(limit.try_acquire());
}

TEST_CASE("a limit of nothing lets nobody in", "[proxy][hold]") {
  SharedLimit limit(0);
  CHECK(limit.is_full());
  CHECK_FALSE(limit.try_acquire());
}

TEST_CASE("a budget is given to its last byte, and not beyond", "[proxy][hold]") {
  SharedBudget budget(100);
  CHECK_FALSE(budget.try_acquire(101));
  CHECK(budget.used() == 0);
  CHECK(budget.try_acquire(60));
  CHECK_FALSE(budget.try_acquire(41));
  CHECK(budget.try_acquire(40));
  CHECK(budget.used() == 100);
  CHECK(budget.try_acquire(0));
  CHECK_FALSE(budget.try_acquire(1));
  budget.release(60);
  CHECK(budget.used() == 40);
  CHECK(budget.try_acquire(60));
}

}  // namespace bellwether::proxy
