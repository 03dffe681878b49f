#include "bellwether/http/chunk_writer.h"

#include <array>
#include <charconv>

#include "bellwether/base/assert.h"

namespace bellwether::http {

void append_chunk_head(std::string& out, std::uint64_t size) {
  BW_ASSERT(size > 0);
  std::array<char, 16> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), size, 16).ptr;
  out.append(digits.data(), end).append("\r\n");
}

void append_chunk(std::string& out, std::string_view content) {
  if (content.empty()) return;
  append_chunk_head(out, content.size());
  out.append(content).append(kChunkEnd);
}

}  // namespace bellwether::http
