// A chunked body fed whole and byte by byte gives the same content and the same verdict.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "bellwether/http/body.h"

using namespace bellwether::http;

namespace {

struct Read {
  ParseStatus status = ParseStatus::kNeedMore;
  std::string content;
  std::size_t consumed = 0;
  bool operator==(const Read&) const = default;
};

Read read_in_steps_of(std::string_view input, std::size_t step) {
  BodyReader reader(BodyFraming{BodyKind::kChunked, 0});
  Read read;
  for (std::size_t at = 0; at < input.size() && read.status == ParseStatus::kNeedMore;) {
    const auto bite = reader.feed(input.substr(at, step));
    read.status = bite.status;
    read.content += bite.content;
    at += bite.consumed;
    if (bite.consumed == 0 && bite.status == ParseStatus::kNeedMore) std::abort();
    read.consumed = at;
  }
  // How much of a broken body was looked at before it was refused is nobody's business.
  if (read.status == ParseStatus::kRejected) read = {ParseStatus::kRejected, {}, 0};
  return read;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (!(read_in_steps_of(input, size) == read_in_steps_of(input, 1))) std::abort();
  return 0;
}
