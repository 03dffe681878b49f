#pragma once

#include <cstdint>
#include <string_view>

#include "bellwether/http/head.h"

namespace bellwether::http {

struct ChunkLimits {
  std::size_t max_extension_bytes = 1024;    // per chunk; extensions are dropped
  std::size_t max_trailer_bytes = 8 * 1024;  // trailers are checked, then dropped
};

// Finds the body in a stream of bytes, whatever its framing. Feed it until it says done; it never buffers content.
class BodyReader {
 public:
  BodyReader() = default;
  explicit BodyReader(BodyFraming framing, ChunkLimits limits = {});

  // One bite of input. `consumed` bytes of it were used; of these, `content` (a part of the input) belongs to the body.
  // Call again with the rest while consumed > 0 and not done.
  struct Bite {
    ParseStatus status = ParseStatus::kNeedMore;  // kDone: the body is complete, the rest of the input is not ours
    Reject reason{};
    std::size_t consumed = 0;
    std::string_view content;
  };
  [[nodiscard]] Bite feed(std::string_view input);
  // The stream ended: is the body whole? Only kUntilClose may end so.
  [[nodiscard]] bool complete_at_end() const;
  [[nodiscard]] bool done() const { return state_ == State::kDone; }

 private:
  enum class State : std::uint8_t {
    kDone,
    kLength,
    kUntilClose,
    kChunkSize,
    kChunkSizeBlank,  // between the size and the ";" of an extension
    kChunkExtension,
    kChunkSizeLf,
    kChunkData,
    kChunkDataCr,
    kChunkDataLf,
    kTrailerStart,
    kTrailerLine,
    kTrailerLf,
    kTrailerEndLf,
    kBroken,
  };
  [[nodiscard]] bool carries_content() const;
  std::string_view take_content(std::string_view input);
  void step(char c);
  void step_size(char c);
  void step_blank(char c);
  void step_extension(char c);
  void step_trailer(char c);
  void expect(char c, char wanted, State next, Reject otherwise);
  void become_chunk_size();
  void become_broken(Reject reason);

  State state_ = State::kDone;
  Reject broken_by_{};
  std::uint64_t left_ = 0;       // bytes left of the length or of this chunk
  unsigned digits_ = 0;          // of the chunk size so far
  std::size_t extra_bytes_ = 0;  // of extensions or trailers so far
  bool trailer_name_seen_ = false;
  ChunkLimits limits_{};
};

}  // namespace bellwether::http
