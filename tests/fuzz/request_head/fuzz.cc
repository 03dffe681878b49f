// Whatever the bytes: a verdict, the same one again, and views that lie inside the buffer.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "bellwether/http/head.h"

using namespace bellwether::http;

namespace {

bool lies_within(std::string_view part, std::string_view whole) {
  return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  RequestHead head;
  const ParseOutcome outcome = parse_request_head(input, HeadLimits{}, head);
  if (outcome.status == ParseStatus::kDone) {
    if (head.bytes > size || !lies_within(head.target, input) || !lies_within(head.method, input)) std::abort();
    for (const Header& header : head.headers) {
      if (!lies_within(header.name, input) || !lies_within(header.value, input)) std::abort();
    }
    // The head ends where it says: one byte less is not a whole head.
    RequestHead again;
    if (parse_request_head(input.substr(0, head.bytes), HeadLimits{}, again).status != ParseStatus::kDone) std::abort();
    if (parse_request_head(input.substr(0, head.bytes - 1), HeadLimits{}, again).status == ParseStatus::kDone) {
      std::abort();
    }
  }
  return 0;
}
