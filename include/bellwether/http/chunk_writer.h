#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bellwether::http {

// The chunked framing that we write (RFC 9112 section 7.1): no extensions, no trailers. One chunk is its head, its
// content, and kChunkEnd; kLastChunk ends the body, and its absence tells the reader that the body was cut.
inline constexpr std::string_view kChunkEnd = "\r\n";
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";
inline constexpr std::size_t kMaxChunkOverhead = 16 + 2 + kChunkEnd.size();  // what a chunk costs beside its content

// REQUIRES: size > 0, a chunk of none would end the body.
void append_chunk_head(std::string& out, std::uint64_t size);

// A whole chunk; nothing at all for no content.
void append_chunk(std::string& out, std::string_view content);

}  // namespace bellwether::http
