#include "bellwether/http/body.h"

#include <algorithm>
#include <limits>

#include "bellwether/base/hex.h"
#include "chars.h"

namespace bellwether::http {
namespace {

constexpr unsigned kMaxSizeDigits = 16;
constexpr std::uint64_t kMaxChunk = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

}  // namespace

BodyReader::BodyReader(BodyFraming framing, ChunkLimits limits) : left_(framing.length), limits_(limits) {
  switch (framing.kind) {
    case BodyKind::kNone:
      state_ = State::kDone;
      break;
    case BodyKind::kLength:
      state_ = left_ > 0 ? State::kLength : State::kDone;
      break;
    case BodyKind::kChunked:
      become_chunk_size();
      break;
    case BodyKind::kUntilClose:
      state_ = State::kUntilClose;
      break;
  }
}

BodyReader::Bite BodyReader::feed(std::string_view input) {
  std::size_t used = 0;
  while (true) {
    if (state_ == State::kDone) return {ParseStatus::kDone, {}, used, {}};
    if (state_ == State::kBroken) return {ParseStatus::kRejected, broken_by_, used, {}};
    if (used == input.size()) return {ParseStatus::kNeedMore, {}, used, {}};
    if (carries_content()) {
      const std::string_view content = take_content(input.substr(used));
      used += content.size();
      return {done() ? ParseStatus::kDone : ParseStatus::kNeedMore, {}, used, content};
    }
    step(input[used++]);
  }
}

bool BodyReader::complete_at_end() const { return state_ == State::kDone || state_ == State::kUntilClose; }

bool BodyReader::carries_content() const {
  return state_ == State::kLength || state_ == State::kChunkData || state_ == State::kUntilClose;
}

std::string_view BodyReader::take_content(std::string_view input) {
  if (state_ == State::kUntilClose) return input;
  const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size()));
  left_ -= taken;
  if (left_ == 0) state_ = state_ == State::kLength ? State::kDone : State::kChunkDataCr;
  return input.substr(0, taken);
}

// One byte of chunk framing (RFC 9112 section 7.1), CRLF strict: what a lenient reader would skip, another would not.
void BodyReader::step(char c) {
  switch (state_) {
    case State::kChunkSize:
      return step_size(c);
    case State::kChunkSizeBlank:
      return step_blank(c);
    case State::kChunkExtension:
      return step_extension(c);
    case State::kChunkSizeLf:
      if (c != '\n') return become_broken(Reject::kChunk);
      extra_bytes_ = 0;
      state_ = left_ > 0 ? State::kChunkData : State::kTrailerStart;
      return;
    case State::kChunkDataCr:
      return expect(c, '\r', State::kChunkDataLf, Reject::kChunk);
    case State::kChunkDataLf:
      if (c != '\n') return become_broken(Reject::kChunk);
      return become_chunk_size();
    case State::kTrailerStart:
    case State::kTrailerLine:
      return step_trailer(c);
    case State::kTrailerLf:
      return expect(c, '\n', State::kTrailerStart, Reject::kTrailer);
    case State::kTrailerEndLf:
      return expect(c, '\n', State::kDone, Reject::kTrailer);
    case State::kDone:
    case State::kLength:
    case State::kUntilClose:
    case State::kChunkData:
    case State::kBroken:
      return;
  }
}

void BodyReader::step_size(char c) {
  if (const int digit = hex_value(c); digit >= 0) {
    left_ = left_ << 4 | static_cast<std::uint64_t>(digit);
    if (++digits_ > kMaxSizeDigits || left_ > kMaxChunk) become_broken(Reject::kChunk);
  } else if (digits_ > 0 && c == ';') {
    state_ = State::kChunkExtension;
  } else if (digits_ > 0 && (c == ' ' || c == '\t')) {
    state_ = State::kChunkSizeBlank;
    step_blank(c);
  } else if (digits_ > 0 && c == '\r') {
    state_ = State::kChunkSizeLf;
  } else {
    become_broken(Reject::kChunk);
  }
}

// RFC 9112 section 7.1.1 allows white space before an extension's ";", but none where no extension follows.
void BodyReader::step_blank(char c) {
  if (c == ';') {
    state_ = State::kChunkExtension;
  } else if ((c != ' ' && c != '\t') || ++extra_bytes_ > limits_.max_extension_bytes) {
    become_broken(Reject::kChunk);
  }
}

void BodyReader::step_extension(char c) {
  if (c == '\r') {
    state_ = State::kChunkSizeLf;
  } else if (!is_in(c, kValueChar) || ++extra_bytes_ > limits_.max_extension_bytes) {
    become_broken(Reject::kChunk);
  }
}

void BodyReader::step_trailer(char c) {
  if (++extra_bytes_ > limits_.max_trailer_bytes) return become_broken(Reject::kTrailer);
  if (state_ == State::kTrailerStart) {
    trailer_name_seen_ = false;
    if (c == '\r') {
      state_ = State::kTrailerEndLf;
    } else if (is_in(c, kTokenChar)) {
      state_ = State::kTrailerLine;
    } else {
      become_broken(Reject::kTrailer);
    }
    return;
  }
  if (!trailer_name_seen_) {
    if (c == ':') {
      trailer_name_seen_ = true;
    } else if (!is_in(c, kTokenChar)) {
      become_broken(Reject::kTrailer);
    }
  } else if (c == '\r') {
    state_ = State::kTrailerLf;
  } else if (!is_in(c, kValueChar)) {
    become_broken(Reject::kTrailer);
  }
}

void BodyReader::expect(char c, char wanted, State next, Reject otherwise) {
  if (c != wanted) return become_broken(otherwise);
  state_ = next;
}

void BodyReader::become_chunk_size() {
  state_ = State::kChunkSize;
  left_ = 0;
  digits_ = 0;
}

void BodyReader::become_broken(Reject reason) {
  state_ = State::kBroken;
  broken_by_ = reason;
}

}  // namespace bellwether::http
