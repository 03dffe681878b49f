#include "bellwether/http/forward.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "bellwether/base/assert.h"
#include "bellwether/base/text.h"
#include "chars.h"
#include "header_line.h"
#include "hop_by_hop.h"

namespace bellwether::http {
namespace {

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::size_t kOwnLines = 512;  // what we add to a head, usually

void append_content_length(std::string& out, std::uint64_t length) {
  std::array<char, 20> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), length).ptr;
  append_line(out, "Content-Length", {digits.data(), static_cast<std::size_t>(end - digits.data())});
}

bool is_replaced(std::string_view name, const RequestEdits& edits) {
  return std::any_of(edits.set.begin(), edits.set.end(),
                     [name](const HeaderField& field) { return is_same_header(field.name, name); });
}

// Of what clients must not send, the one line that this sender may send. Of several lines of that name none is
// believed: which of them the sender's own proxy wrote is unknown.
bool passes_on(const RequestHead& head, const RequestEdits& edits) {
  const auto is_it = [&edits](const Header& header) { return is_same_header(header.name, edits.passed_on); };
  return !edits.passed_on.empty() && std::count_if(head.headers.begin(), head.headers.end(), is_it) == 1;
}

void append_request_line(std::string& out, const RequestHead& head) {
  out.append(head.method).append(" ").append(head.target).append(" HTTP/1.1\r\n");
}

// How the client is named: "10.0.0.5", and in Forwarded "for=10.0.0.5" or "for=\"[fd00::5]\"" (RFC 7239 section 6).
void append_client(std::string& out, Passage line, std::string_view client) {
  BW_ASSERT(span_of_value(client) == client.size());
  if (line == Passage::kForwardedFor) {
    out.append(client);
  } else if (client.find(':') == std::string_view::npos) {
    out.append("for=").append(client);
  } else {
    out.append("for=\"[").append(client).append("]\"");
  }
}

// One line of all values in their order: nodes merge repeated lines anyway, and count from the rear. Forwarded is only
// continued where a sender that may speak for others has begun it.
void append_forwarded(std::string& out, const RequestHead& head, const NamedByConnection& named,
                      const RequestEdits& edits, Passage line) {
  std::string_view separator = line == Passage::kForwardedFor ? "X-Forwarded-For: " : "Forwarded: ";
  const auto append_separator = [&] { out.append(std::exchange(separator, ", ")); };
  if (edits.keeps_forwarded_for) {
    for (const Header& header : head.headers) {
      if (header.value.empty() || passage_of(header.name) != line || named.contains(header)) continue;
      append_separator();
      out.append(header.value);
    }
  }
  const bool is_begun = separator == ", ";
  if (!edits.forwarded_for.empty() && (is_begun || line == Passage::kForwardedFor)) {
    append_separator();
    append_client(out, line, edits.forwarded_for);
  }
  if (separator == ", ") out.append(kLineEnd);
}

void append_request_framing(std::string& out, const RequestHead& head) {
  if (head.body.kind == BodyKind::kChunked) {
    append_line(out, "Transfer-Encoding", "chunked");
  } else if (head.body.kind == BodyKind::kLength || head.header("content-length")) {
    append_content_length(out, head.body.length);
  }
}

bool never_has_length(int status) { return status < 200 || status == 204; }  // RFC 9110 section 8.6

void append_response_framing(std::string& out, const ResponseHead& head, BodyKind kind) {
  switch (kind) {
    case BodyKind::kNone:
      // To HEAD and in a 304 the length speaks of a body that is not sent: the node's own digits.
      if (const auto length = head.header("content-length"); length && !never_has_length(head.status)) {
        append_line(out, "Content-Length", *length);
      }
      return;
    case BodyKind::kLength:
      return append_content_length(out, head.body.length);
    case BodyKind::kChunked:
      return append_line(out, "Transfer-Encoding", "chunked");
    case BodyKind::kUntilClose:
      return;
  }
}

}  // namespace

void append_request_head(std::string& out, const RequestHead& head, const RequestEdits& edits) {
  out.reserve(out.size() + head.bytes + kOwnLines);
  const NamedByConnection named(head.headers);
  append_request_line(out, head);
  if (head.host.empty()) {
    append_own_line(out, "Host", edits.host);
  } else {
    append_line(out, "Host", head.host);
  }
  const bool passes_one_on = passes_on(head, edits);
  for (const Header& header : head.headers) {
    const std::string_view name = header.name;
    if (passage_of(name) != Passage::kEndToEnd || named.contains(header) || is_replaced(name, edits)) continue;
    const bool is_passed_on = passes_one_on && is_same_header(name, edits.passed_on);
    if (edits.dropped != nullptr && edits.dropped->contains(name) && !is_passed_on) continue;
    append_line(out, name, header.value);
  }
  append_forwarded(out, head, named, edits, Passage::kForwardedFor);
  append_forwarded(out, head, named, edits, Passage::kForwarded);
  for (const HeaderField& field : edits.set) append_own_line(out, field.name, field.value);
  append_request_framing(out, head);
  if (head.expects_continue && !edits.omits_expect) append_line(out, "Expect", "100-continue");
  if (!edits.upgrade.empty()) {
    append_line(out, "Connection", "Upgrade");
    append_own_line(out, "Upgrade", edits.upgrade);
  }
  out.append(kLineEnd);
}

bool asks_for_websocket(const RequestHead& head) {
  return head.version == Version::kHttp11 && head.body.kind == BodyKind::kNone && !head.expects_continue &&
         equals_ignoring_case(head.upgrade, "websocket");
}

bool grants_upgrade(const ResponseHead& head, std::string_view protocol) {
  const auto granted = head.header("upgrade");
  return head.status == 101 && granted && !protocol.empty() && equals_ignoring_case(*granted, protocol);
}

ResponseFraming framing_for(const ResponseHead& head, const ResponseRoute& route) {
  const bool is_chunked = head.body.kind == BodyKind::kChunked || head.body.kind == BodyKind::kUntilClose;
  if (!is_chunked) return {head.body.kind, route.keep_alive};
  if (route.client == Version::kHttp10) return {BodyKind::kUntilClose, false};
  return {BodyKind::kChunked, route.keep_alive};
}

ResponseFraming append_response_head(std::string& out, const ResponseHead& head, const ResponseRoute& route) {
  const NamedByConnection named(head.headers);
  const ResponseFraming framing = framing_for(head, route);
  const std::array<char, 3> status = {static_cast<char>('0' + head.status / 100),
                                      static_cast<char>('0' + head.status / 10 % 10),
                                      static_cast<char>('0' + head.status % 10)};
  out.append("HTTP/1.1 ").append(status.data(), status.size()).append(" ").append(head.reason).append(kLineEnd);
  for (const Header& header : head.headers) {
    const Passage passage = passage_of(header.name);
    const bool passes =
        passage == Passage::kEndToEnd || passage == Passage::kForwardedFor || passage == Passage::kForwarded;
    if (passes && !named.contains(header)) append_line(out, header.name, header.value);
  }
  if (head.status == 101) {
    append_line(out, "Connection", "Upgrade");
    append_line(out, "Upgrade", head.header("upgrade").value_or(std::string_view{}));
  } else if (head.status >= 200) {
    append_response_framing(out, head, framing.body);
    if (!framing.keep_alive) {
      append_line(out, "Connection", "close");
    } else if (route.client == Version::kHttp10) {
      append_line(out, "Connection", "keep-alive");
    }
  }
  out.append(kLineEnd);
  return framing;
}

}  // namespace bellwether::http
