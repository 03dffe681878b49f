// Whatever precedes a connection: a header of the length it says, "more", or an error.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "bellwether/net/proxy_protocol.h"

using namespace bellwether::net;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto parsed = parse_proxy_header(input);
  if (parsed && parsed->complete && (parsed->bytes == 0 || parsed->bytes > size)) std::abort();
  if (parsed && !parsed->complete && size >= kMaxProxyHeader) std::abort();
  return 0;
}
