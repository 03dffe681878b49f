// Whatever the bytes: a verdict, and a head that ends where it says.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "bellwether/http/head.h"

using namespace bellwether::http;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  for (const std::string_view method : {"GET", "HEAD"}) {
    ResponseHead head;
    if (parse_response_head(input, method, HeadLimits{}, head).status != ParseStatus::kDone) continue;
    if (head.bytes > size || head.status < 100 || head.status > 999) std::abort();
    ResponseHead again;
    if (parse_response_head(input.substr(0, head.bytes), method, HeadLimits{}, again).status != ParseStatus::kDone) {
      std::abort();
    }
  }
  return 0;
}
