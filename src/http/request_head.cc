#include <algorithm>

#include "bellwether/base/text.h"
#include "bellwether/http/head.h"
#include "chars.h"
#include "header_block.h"

namespace bellwether::http {
namespace {

constexpr std::size_t kMaxMethodBytes = 32;
constexpr std::size_t kVersionBytes = 8;

// Takes "METHOD SP target SP version CRLF" off `rest`.
ParseOutcome read_request_line(std::string_view& rest, RequestHead& head) {
  const std::size_t method_length = span_of(rest, kTokenChar);
  if (method_length == 0 || method_length > kMaxMethodBytes || rest[method_length] != ' ') {
    return rejected(reject_for(rest[method_length], Reject::kMethod));
  }
  head.method = rest.substr(0, method_length);
  rest.remove_prefix(method_length + 1);

  const std::size_t target_length = span_of(rest, kTargetChar);
  if (target_length == 0 || rest[target_length] != ' ') {
    const bool ends_early = rest.substr(target_length).starts_with("\r\n");
    const bool two_spaces = target_length == 0 && rest.front() == ' ';
    if (ends_early || two_spaces) return rejected(Reject::kRequestLine);
    return rejected(reject_for(rest[target_length], Reject::kTarget));
  }
  head.target = rest.substr(0, target_length);
  rest.remove_prefix(target_length + 1);

  if (!read_version(rest.substr(0, kVersionBytes), head.version)) return rejected(Reject::kVersion);
  rest.remove_prefix(kVersionBytes);
  if (!rest.starts_with("\r\n")) return rejected(reject_for(rest.front(), Reject::kRequestLine));
  rest.remove_prefix(2);
  return parsed();
}

bool is_port(std::string_view text) {
  return text.size() <= 5 && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// uri-host [":" port] (RFC 9110 section 7.2). An IP literal is checked for its characters, not its meaning.
bool is_host(std::string_view text) {
  std::size_t name_length = 0;
  if (text.starts_with('[')) {
    name_length = text.find(']');
    if (name_length == std::string_view::npos || name_length < 3) return false;
    const std::string_view literal = text.substr(1, name_length - 1);
    if (!std::all_of(literal.begin(), literal.end(), [](char c) { return c == ':' || is_in(c, kHostChar); }))
      return false;
    name_length++;
  } else {
    name_length = span_of(text, kHostChar);
  }
  const std::string_view port = text.substr(name_length);
  return name_length > 0 && (port.empty() || (port.front() == ':' && is_port(port.substr(1))));
}

// The authority of an absolute-form target, or empty for the other forms.
std::string_view authority_of(std::string_view target) {
  const std::size_t scheme_end = target.find("://");
  if (scheme_end == std::string_view::npos) return {};
  const std::string_view scheme = target.substr(0, scheme_end);
  if (!equals_ignoring_case(scheme, "http") && !equals_ignoring_case(scheme, "https")) return {};
  const std::string_view rest = target.substr(scheme_end + 3);
  return rest.substr(0, rest.find_first_of("/?"));
}

// RFC 9112 section 3.2. CONNECT and its authority-form are refused: we are nobody's forward proxy.
ParseOutcome check_target(RequestHead& head, const HeaderFacts& facts) {
  const bool has_host = facts.hosts == 1;
  if (facts.hosts > 1 || (!has_host && head.version == Version::kHttp11)) return rejected(Reject::kHost);
  if (has_host && !is_host(facts.host)) return rejected(Reject::kHost);
  head.host = facts.host;

  if (head.method == "CONNECT") return rejected(Reject::kTarget);
  if (head.target.front() == '/') return parsed();
  if (head.target == "*") return head.method == "OPTIONS" ? parsed() : rejected(Reject::kTarget);
  const std::string_view authority = authority_of(head.target);
  if (authority.empty()) return rejected(Reject::kTarget);
  if (!is_host(authority) || (has_host && !equals_ignoring_case(authority, facts.host))) {
    return rejected(Reject::kHost);
  }
  head.host = authority;
  return parsed();
}

ParseOutcome read_head(std::string_view text, const HeadLimits& limits, RequestHead& head) {
  HeaderFacts facts;
  std::string_view rest = text;
  if (const ParseOutcome line = read_request_line(rest, head); line.status != ParseStatus::kDone) return line;
  if (const ParseOutcome block = read_header_block(rest, limits.max_headers, head.headers, facts);
      block.status != ParseStatus::kDone) {
    return block;
  }
  if (const ParseOutcome target = check_target(head, facts); target.status != ParseStatus::kDone) return target;
  if (const ParseOutcome framing = read_framing(facts, head.version, head.body); framing.status != ParseStatus::kDone) {
    return framing;
  }
  head.keep_alive = keeps_alive(head.version, facts);
  // RFC 9110 section 10.1.1: from an HTTP/1.0 client it is to be ignored.
  head.expects_continue = facts.expects > 0 && head.version == Version::kHttp11;
  head.upgrade = facts.says_upgrade ? facts.upgrade : std::string_view{};
  head.bytes = text.size();
  return parsed();
}

}  // namespace

ParseOutcome parse_request_head(std::string_view buffer, const HeadLimits& limits, RequestHead& head) {
  if (buffer == "\r") return {ParseStatus::kNeedMore, {}};  // perhaps of an empty line
  // What starts no method, such as a TLS hello on a plain port, is refused at once, not after a timeout.
  if (!buffer.empty() && !is_in(buffer.front(), kTokenChar)) {
    return rejected(reject_for(buffer.front(), Reject::kMethod));
  }
  const HeadEnd end = find_head_end(buffer, limits);
  if (end.outcome.status != ParseStatus::kDone) return end.outcome;
  return read_head(buffer.substr(0, end.bytes), limits, head);
}

std::optional<std::string_view> RequestHead::header(std::string_view name) const {
  for (const Header& header : headers) {
    if (equals_ignoring_case(header.name, name)) return header.value;
  }
  return std::nullopt;
}

}  // namespace bellwether::http
