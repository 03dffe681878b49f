#include "bellwether/base/text.h"
#include "bellwether/http/head.h"
#include "chars.h"
#include "header_block.h"

namespace bellwether::http {
namespace {

constexpr std::string_view kVersionStart = "HTTP/";
constexpr std::size_t kVersionBytes = 8;
constexpr std::size_t kReasonAt = kVersionBytes + 5;  // behind "HTTP/1.1 200 "

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Takes "version SP status SP [reason] CRLF" off `rest`.
ParseOutcome read_status_line(std::string_view& rest, ResponseHead& head) {
  if (!rest.starts_with(kVersionStart)) return rejected(reject_for(rest.front(), Reject::kStatusLine));
  if (!read_version(rest.substr(0, kVersionBytes), head.version)) return rejected(Reject::kVersion);
  if (rest.size() < kReasonAt) return rejected(Reject::kStatusLine);
  const std::string_view code = rest.substr(kVersionBytes + 1, 3);
  const bool well_formed = rest[kVersionBytes] == ' ' && code[0] >= '1' && is_digit(code[0]) && is_digit(code[1]) &&
                           is_digit(code[2]) && rest[kReasonAt - 1] == ' ';
  if (!well_formed) return rejected(Reject::kStatusLine);
  head.status = (code[0] - '0') * 100 + (code[1] - '0') * 10 + (code[2] - '0');
  rest.remove_prefix(kReasonAt);

  const std::size_t reason_length = span_of_value(rest);
  head.reason = rest.substr(0, reason_length);
  rest.remove_prefix(reason_length);
  if (!rest.starts_with("\r\n")) return rejected(reject_for(rest.front(), Reject::kStatusLine));
  rest.remove_prefix(2);
  return parsed();
}

// RFC 9112 section 6.3, rules 1, 2 and 8.
BodyFraming body_of(const HeaderFacts& facts, BodyFraming stated, int status, std::string_view request_method) {
  const bool never_has_body = request_method == "HEAD" || status < 200 || status == 204 || status == 304;
  if (never_has_body) return {};
  const bool is_stated = facts.content_lengths + facts.transfer_encodings > 0;
  return is_stated ? stated : BodyFraming{BodyKind::kUntilClose, 0};
}

ParseOutcome read_head(std::string_view text, std::string_view request_method, const HeadLimits& limits,
                       ResponseHead& head) {
  HeaderFacts facts;
  BodyFraming stated;
  std::string_view rest = text;
  if (const ParseOutcome line = read_status_line(rest, head); line.status != ParseStatus::kDone) return line;
  if (const ParseOutcome block = read_header_block(rest, limits.max_headers, head.headers, facts);
      block.status != ParseStatus::kDone) {
    return block;
  }
  if (const ParseOutcome framing = read_framing(facts, head.version, stated); framing.status != ParseStatus::kDone) {
    return framing;
  }
  head.body = body_of(facts, stated, head.status, request_method);
  head.keep_alive = keeps_alive(head.version, facts) && head.body.kind != BodyKind::kUntilClose;
  head.bytes = text.size();
  return parsed();
}

}  // namespace

ParseOutcome parse_response_head(std::string_view buffer, std::string_view request_method, const HeadLimits& limits,
                                 ResponseHead& head) {
  // A peer that does not speak HTTP is told by its first bytes: a TLS alert to a plain request.
  const std::string_view start = buffer.substr(0, kVersionStart.size());
  if (start != kVersionStart.substr(0, start.size())) {
    return rejected(reject_for(buffer.front(), Reject::kStatusLine));
  }
  const HeadEnd end = find_head_end(buffer, limits);
  if (end.outcome.status != ParseStatus::kDone) return end.outcome;
  return read_head(buffer.substr(0, end.bytes), request_method, limits, head);
}

std::optional<std::string_view> ResponseHead::header(std::string_view name) const {
  for (const Header& header : headers) {
    if (equals_ignoring_case(header.name, name)) return header.value;
  }
  return std::nullopt;
}

}  // namespace bellwether::http
