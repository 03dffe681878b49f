#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "bellwether/http/head.h"

namespace bellwether::http {

// What requests and responses have in common: the end of the head, its header lines, and what these say about framing.

// Where the head ends, looking at no more than the limit allows. kNeedMore: not in the buffer yet.
struct HeadEnd {
  ParseOutcome outcome;
  std::size_t bytes = 0;  // its final CRLFCRLF included
};
[[nodiscard]] HeadEnd find_head_end(std::string_view buffer, const HeadLimits& limits);

// Gathered in the one pass over the header lines.
struct HeaderFacts {
  unsigned hosts = 0;
  unsigned content_lengths = 0;
  unsigned transfer_encodings = 0;
  unsigned expects = 0;
  std::uint64_t content_length = 0;
  std::string_view host;
  std::string_view upgrade;
  bool says_close = false;
  bool says_keep_alive = false;
  bool says_upgrade = false;
};

// Reads all header lines and the empty line behind them. `lines` is the head from its first header on.
[[nodiscard]] ParseOutcome read_header_block(std::string_view lines, std::size_t max_headers,
                                             std::vector<Header>& headers, HeaderFacts& facts);

// Content-Length or Transfer-Encoding, checked against each other; kNone without either.
[[nodiscard]] ParseOutcome read_framing(const HeaderFacts& facts, Version version, BodyFraming& framing);

// By RFC 9112 section 9.3.
[[nodiscard]] bool keeps_alive(Version version, const HeaderFacts& facts);

// "HTTP/1.0" or "HTTP/1.1" and nothing else.
[[nodiscard]] bool read_version(std::string_view text, Version& version);

// The reason for a byte that no rule allows; `otherwise` if it is a harmless one in the wrong place.
[[nodiscard]] Reject reject_for(char c, Reject otherwise);

[[nodiscard]] inline ParseOutcome rejected(Reject reason) { return {ParseStatus::kRejected, reason}; }
[[nodiscard]] inline ParseOutcome parsed() { return {ParseStatus::kDone, {}}; }

}  // namespace bellwether::http
