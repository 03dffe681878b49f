#include "header_block.h"

#include <algorithm>
#include <limits>

#include "bellwether/base/text.h"
#include "chars.h"

namespace bellwether::http {
namespace {

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kHeadEnd = "\r\n\r\n";
constexpr std::size_t kMaxLengthDigits = 19;  // of 2^63 - 1

// A line feed that no carriage return precedes will not become right with more bytes.
bool has_bare_line_feed(std::string_view text, char before = '\0') {
  for (std::size_t at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1)) {
    if ((at == 0 ? before : text[at - 1]) != '\r') return true;
  }
  return false;
}

bool read_content_length(std::string_view value, std::uint64_t& length) {
  if (value.empty() || value.size() > kMaxLengthDigits) return false;
  std::uint64_t sum = 0;
  for (char c : value) {
    if (c < '0' || c > '9') return false;
    sum = sum * 10 + static_cast<std::uint64_t>(c - '0');
  }
  length = sum;
  return sum <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
}

void note_connection_options(std::string_view value, HeaderFacts& facts) {
  while (!value.empty()) {
    const std::size_t comma = value.find(',');
    const std::string_view option = trim(value.substr(0, comma));
    if (equals_ignoring_case(option, "close")) facts.says_close = true;
    if (equals_ignoring_case(option, "keep-alive")) facts.says_keep_alive = true;
    if (equals_ignoring_case(option, "upgrade")) facts.says_upgrade = true;
    value = comma == std::string_view::npos ? std::string_view{} : value.substr(comma + 1);
  }
}

// The few headers that decide framing and the connection; the length of the name sorts out nearly all others.
ParseOutcome note(const Header& header, HeaderFacts& facts) {
  const auto [name, value] = header;
  switch (name.size()) {
    case 4:
      if (equals_ignoring_case(name, "host")) {
        facts.hosts++;
        facts.host = value;
      }
      break;
    case 6:
      if (equals_ignoring_case(name, "expect")) {
        if (++facts.expects > 1 || !equals_ignoring_case(value, "100-continue")) return rejected(Reject::kExpect);
      }
      break;
    case 7:
      if (facts.upgrade.empty() && equals_ignoring_case(name, "upgrade")) facts.upgrade = value;
      break;
    case 10:
      if (equals_ignoring_case(name, "connection")) note_connection_options(value, facts);
      break;
    case 14:
      if (equals_ignoring_case(name, "content-length")) {
        const bool first = ++facts.content_lengths == 1;
        if (!first || !read_content_length(value, facts.content_length)) return rejected(Reject::kContentLength);
      }
      break;
    case 17:
      if (equals_ignoring_case(name, "transfer-encoding")) {
        const bool first = ++facts.transfer_encodings == 1;
        if (!first || !equals_ignoring_case(value, "chunked")) return rejected(Reject::kTransferEncoding);
      }
      break;
  }
  return parsed();
}

// Takes one header line off `lines`.
ParseOutcome read_line(std::string_view& lines, Header& header) {
  if (lines.front() == ' ' || lines.front() == '\t') return rejected(Reject::kFolding);
  const std::size_t name_length = span_of(lines, kTokenChar);
  if (name_length == lines.size()) return rejected(Reject::kHeaderName);
  if (name_length == 0 || lines[name_length] != ':')
    return rejected(reject_for(lines[name_length], Reject::kHeaderName));
  header.name = lines.substr(0, name_length);
  lines.remove_prefix(name_length + 1);

  const std::size_t value_length = span_of_value(lines);
  header.value = trim(lines.substr(0, value_length));
  lines.remove_prefix(value_length);
  if (!lines.starts_with(kLineEnd)) {
    return rejected(lines.empty() ? Reject::kBareLineEnd : reject_for(lines.front(), Reject::kControlCharacter));
  }
  lines.remove_prefix(kLineEnd.size());
  return parsed();
}

}  // namespace

HeadEnd find_head_end(std::string_view buffer, const HeadLimits& limits) {
  const std::string_view window = buffer.substr(0, limits.max_head_bytes);
  const std::size_t at = window.find(kHeadEnd);
  if (at != std::string_view::npos) return {parsed(), at + kHeadEnd.size()};
  if (has_bare_line_feed(window)) return {rejected(Reject::kBareLineEnd), 0};
  if (buffer.size() >= limits.max_head_bytes) return {rejected(Reject::kTooLarge), 0};
  return {{ParseStatus::kNeedMore, {}}, 0};
}

bool HeadSearch::is_worth_parsing(std::string_view buffer, const HeadLimits& limits) {
  if (seen_ == 0 || buffer.size() >= limits.max_head_bytes) return true;
  // The end may have begun in what was seen before.
  const std::size_t from = seen_ - std::min(seen_, kHeadEnd.size() - 1);
  const char before_news = buffer[seen_ - 1];
  const std::string_view news = buffer.substr(seen_);
  seen_ = buffer.size();
  return buffer.find(kHeadEnd, from) != std::string_view::npos || has_bare_line_feed(news, before_news);
}

ParseOutcome read_header_block(std::string_view lines, std::size_t max_headers, std::vector<Header>& headers,
                               HeaderFacts& facts) {
  headers.clear();
  while (!lines.empty() && !lines.starts_with(kLineEnd)) {
    if (headers.size() == max_headers) return rejected(Reject::kTooManyHeaders);
    Header& header = headers.emplace_back();
    if (const ParseOutcome line = read_line(lines, header); line.status != ParseStatus::kDone) return line;
    if (const ParseOutcome meaning = note(header, facts); meaning.status != ParseStatus::kDone) return meaning;
  }
  return lines == kLineEnd ? parsed() : rejected(Reject::kBareLineEnd);
}

ParseOutcome read_framing(const HeaderFacts& facts, Version version, BodyFraming& framing) {
  framing = {};
  if (facts.transfer_encodings > 0) {
    if (facts.content_lengths > 0) return rejected(Reject::kLengthConflict);
    if (version == Version::kHttp10) return rejected(Reject::kTransferEncoding);
    framing.kind = BodyKind::kChunked;
  } else if (facts.content_lengths > 0) {
    framing = {facts.content_length > 0 ? BodyKind::kLength : BodyKind::kNone, facts.content_length};
  }
  return parsed();
}

bool keeps_alive(Version version, const HeaderFacts& facts) {
  return !facts.says_close && (version == Version::kHttp11 || facts.says_keep_alive);
}

bool read_version(std::string_view text, Version& version) {
  version = text == "HTTP/1.0" ? Version::kHttp10 : Version::kHttp11;
  return version == Version::kHttp10 || text == "HTTP/1.1";
}

Reject reject_for(char c, Reject otherwise) {
  if (c == '\r' || c == '\n') return Reject::kBareLineEnd;
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t') || byte == 0x7f ? Reject::kControlCharacter : otherwise;
}

}  // namespace bellwether::http
