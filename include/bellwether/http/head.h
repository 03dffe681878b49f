#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bellwether/base/enum_count.h"
#include "bellwether/base/result.h"

namespace bellwether::http {

// Why a message was refused: a metric label and a log word, so the set is closed.
enum class Reject : std::uint8_t {
  kTooLarge,  // head beyond max_head_bytes
  kTooManyHeaders,
  kBareLineEnd,       // CR or LF that is not CRLF
  kControlCharacter,  // NUL and the like
  kRequestLine,
  kStatusLine,
  kMethod,  // not a token, or over 32 bytes
  kTarget,
  kVersion,           // neither HTTP/1.0 nor HTTP/1.1
  kHeaderName,        // empty, not a token, or blank before the colon
  kFolding,           // obs-fold
  kHost,              // missing, repeated or malformed, or at odds with an absolute target
  kContentLength,     // not digits, too big, or two that differ
  kTransferEncoding,  // anything but exactly one "chunked", or on HTTP/1.0
  kLengthConflict,    // Transfer-Encoding together with Content-Length
  kChunk,             // chunk framing
  kTrailer,
  kExpect,
};
[[nodiscard]] std::string_view to_text(Reject reason);
inline constexpr std::size_t kRejectCount = 18;
static_assert(has_enumerators<Reject, kRejectCount>);

// The status of the answer to a request that is refused so: 400, 417, 431 or 505.
[[nodiscard]] int status_of(Reject reason);

struct HeadLimits {
  std::size_t max_head_bytes = 32 * 1024;  // start line and headers, with their line ends
  std::size_t max_headers = 100;
  bool are_options = false;  // set by max_head_bytes and max_headers, so a refusal names them
};

// The same for the client, as a clause: "the Host header is missing, repeated or malformed".
[[nodiscard]] std::string explain(Reject reason, const HeadLimits& limits);

// One header line. The views point into the buffer that was parsed and live as long as it stands still.
struct Header {
  std::string_view name;   // as received
  std::string_view value;  // without surrounding blanks
};

enum class Version : std::uint8_t { kHttp10, kHttp11 };

// How the body's end is found (RFC 9112 section 6.3).
enum class BodyKind : std::uint8_t { kNone, kLength, kChunked, kUntilClose };
struct BodyFraming {
  BodyKind kind = BodyKind::kNone;
  std::uint64_t length = 0;  // for kLength
};

struct RequestHead {
  std::string_view method;
  std::string_view target;  // byte for byte as received
  Version version = Version::kHttp11;
  std::vector<Header> headers;
  BodyFraming body;
  bool keep_alive = true;  // by version and Connection
  bool expects_continue = false;
  std::string_view host;     // of the Host header (or of the absolute target)
  std::string_view upgrade;  // the Upgrade header's value if Connection names it, else empty
  std::size_t bytes = 0;     // length of the head, final CRLFCRLF included

  // The first header of that name (any case), or nothing.
  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;
};

// Interim answers (1xx) to one request: one or two are usual, and a server that sends more is not waited for.
inline constexpr int kMaxInterim = 16;

struct ResponseHead {
  int status = 0;  // 100 to 999
  std::string_view reason;
  Version version = Version::kHttp11;
  std::vector<Header> headers;
  BodyFraming body;
  bool keep_alive = true;
  std::size_t bytes = 0;

  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;
};

// What parsing the start of a buffer gave: a head, "not all there yet", or a reason to refuse.
enum class ParseStatus : std::uint8_t { kDone, kNeedMore, kRejected };
struct ParseOutcome {
  ParseStatus status = ParseStatus::kNeedMore;
  Reject reason{};  // for kRejected
};

// For a head that comes in small pieces: to parse it anew with each piece would read the whole each time.
class HeadSearch {
 public:
  // Whether `buffer`, which has more of the head than when need_more() was said of it, is whole or hopeless. Reads only
  // what is new.
  [[nodiscard]] bool is_worth_parsing(std::string_view buffer, const HeadLimits& limits);
  // The parser said kNeedMore. After a CR alone the next byte decides.
  void need_more(std::string_view buffer) { seen_ = buffer == "\r" ? 0 : buffer.size(); }
  // Another head follows.
  void restart() { seen_ = 0; }

 private:
  std::size_t seen_ = 0;
};

// The empty line that a server ignores before a request line (RFC 9112 section 2.2): some clients end a body with a
// CRLF of their own. One for each request, so that a stream of empty lines is refused.
class LeadingLine {
 public:
  // How many bytes of it to take off `buffer`, whose start is where a head is expected: 2 or 0. A CR alone may still
  // become the line; the parser asks for more.
  [[nodiscard]] std::size_t skip(std::string_view buffer) {
    if (was_skipped_ || !buffer.starts_with("\r\n")) return 0;
    was_skipped_ = true;
    return 2;
  }
  // Another head follows.
  void restart() { was_skipped_ = false; }

 private:
  bool was_skipped_ = false;
};

// Strict, by RFC 9112, and then stricter: what is ambiguous is refused, never repaired. Any token is a method (LIST,
// SCAN). The head object is reused: its vector keeps its capacity from one request to the next. An empty line before
// the request is the caller's to skip (LeadingLine).
[[nodiscard]] ParseOutcome parse_request_head(std::string_view buffer, const HeadLimits& limits, RequestHead& head);
// `request_method` decides whether a body follows (HEAD; RFC 9112 section 6.3).
[[nodiscard]] ParseOutcome parse_response_head(std::string_view buffer, std::string_view request_method,
                                               const HeadLimits& limits, ResponseHead& head);

}  // namespace bellwether::http
