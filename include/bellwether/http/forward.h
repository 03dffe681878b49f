#pragma once

#include <span>
#include <string>
#include <string_view>

#include "bellwether/http/certificate_header.h"
#include "bellwether/http/head.h"
#include "bellwether/http/serialize.h"

namespace bellwether::http {

// Heads on their way through a proxy: rebuilt line by line from what was parsed, never copied as a stretch of bytes.
// Hop-by-hop headers and those that Connection names are dropped, framing is stated anew, nothing else is touched; no
// Via and no Server is added. All append to a buffer of the caller's and allocate nothing else.

// What changes on the way to a node. Views and spans are read during the call only.
struct RequestEdits {
  // Ours. They replace what the client sent under these names: of two X-Vault-No-Request-Forwarding, a node reads the
  // first, which may be empty.
  std::span<const HeaderField> set{};
  const DroppedHeaders* dropped = nullptr;  // names that are not passed on; null: all are
  std::string_view passed_on{};             // of these, the one that this sender may send, in one line; empty: none
  std::string_view host{};                  // of a request that names none (HTTP/1.0)
  std::string_view forwarded_for{};         // the client as a bare IP, put last in X-Forwarded-For; empty: not added
  // What the client sent in X-Forwarded-For and Forwarded stays, before ours; else it is dropped.
  bool keeps_forwarded_for = false;
  std::string_view upgrade{};  // the protocol of a tunnel that is asked for; empty: the client's wish is dropped
  bool omits_expect = false;   // the body is at hand: a request that is sent again
};

// Always HTTP/1.1 and persistent. The body's framing is the one that was parsed: a chunked one must be sent chunked.
// REQUIRES: `head` was parsed whole, its buffer stands.
void append_request_head(std::string& out, const RequestHead& head, const RequestEdits& edits);

// The client wants a WebSocket and nothing else: HTTP/1.1 without a body, and Connection names an Upgrade to that
// alone. A wish for another protocol is best dropped: a tunnel to h2c would carry requests that nobody checked.
[[nodiscard]] bool asks_for_websocket(const RequestHead& head);
// The node's 101 grants exactly the protocol that was asked for.
[[nodiscard]] bool grants_upgrade(const ResponseHead& head, std::string_view protocol);

// How an answer reaches the client.
struct ResponseRoute {
  Version client = Version::kHttp11;
  bool keep_alive = true;  // what the client and we want of the connection after it
};
// What the client was told: this is how the body is to be written, and whether the connection goes on.
struct ResponseFraming {
  BodyKind body = BodyKind::kNone;
  bool keep_alive = true;
};
// An answer of unknown length is chunked for HTTP/1.1, so that a cut is seen; for HTTP/1.0 it lasts until the close.
[[nodiscard]] ResponseFraming framing_for(const ResponseHead& head, const ResponseRoute& route);

// The head as framing_for() says. Interim answers (1xx) come out without framing; a 101 with its Upgrade. An HTTP/1.0
// client must be sent no 1xx.
ResponseFraming append_response_head(std::string& out, const ResponseHead& head, const ResponseRoute& route);

}  // namespace bellwether::http
