// A node may answer anything: a role comes out, never an exception. The first two bytes choose the status code.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "bellwether/vault/health.h"

using namespace bellwether;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  constexpr int kCodes[] = {200, 429, 472, 473, 474, 500, 501, 503, 530, 400};
  const int status = kCodes[data[0] % 10];
  const std::string_view body(reinterpret_cast<const char*>(data + 2), size - 2);
  const cluster::HealthFacts facts = vault::classify_health(status, body);
  if (facts.role == cluster::Role::kActive && status != 200) std::abort();
  static_cast<void>(vault::parse_leader(status, body));
  return 0;
}
