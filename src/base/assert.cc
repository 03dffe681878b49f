#include "bellwether/base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace bellwether {

void assertion_failed(const char* expression, const char* file, int line) noexcept {
  std::fprintf(stderr, "bellwether: broken invariant: %s (%s:%d)\n", expression, file, line);
  std::abort();
}

}  // namespace bellwether
