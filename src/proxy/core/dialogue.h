#pragma once

#include <cstddef>
#include <cstdint>

#include "bellwether/base/time.h"

namespace bellwether::proxy {

// Who has spoken in a tcp session, as far as bytes alone can tell. Client protocols of Vault are request and answer, so
// a session is between two requests where the node spoke last, and a client that speaks then begins a new request. What
// makes this wrong, and how each is treated:
// - TLS: the handshake takes the first two turns. In the second the node may send a session ticket, or HTTP/2 its
//   settings, before it answers the first request: until a third turn the node's words end no request for sure.
// - HTTP/2 SETTINGS acknowledgements and WINDOW_UPDATE frames are no requests. In TLS 1.3 such a record has at most
//   kMaxAside bytes, and the shortest request has more: the proxy passes such an aside on and does not report it here.
// - A long answer may pause for longer than a short one takes: it is over only after a long silence.
// Pure. One thread.
class Dialogue {
 public:
  // A TLS 1.3 record with a frame header and 4 bytes: header 5, frame 9 + 4, content type 1, tag 16 (RFC 8446 section
  // 5.2, RFC 9113 sections 6.5 and 6.9).
  static constexpr std::size_t kMaxAside = 35;
  // A client that pauses for that long within a request is taken for one that begins another.
  static constexpr Duration kMessagePause = 20ms;
  static constexpr std::size_t kShortAnswer = 64 * 1024;

  void client_spoke(TimePoint at);
  void node_spoke(std::size_t bytes);
  // Known from the client's first bytes.
  void set_tls(bool is_tls) { is_tls_ = is_tls; }

  // The node has not said a word since the client last spoke.
  [[nodiscard]] bool client_waits() const { return client_spoke_last_; }
  // As far as bytes tell it may wait: what the node said since may be a session ticket, with its first request
  // unanswered.
  [[nodiscard]] bool client_may_wait() const { return client_spoke_last_ || (is_in_handshake() && !is_long_answer()); }
  [[nodiscard]] Duration client_waited(TimePoint now) const { return now - client_at_; }
  // What the client says now is not the rest of a message that it began before.
  [[nodiscard]] bool begins_message(TimePoint now) const {
    return !client_spoke_last_ || now - client_at_ >= kMessagePause;
  }
  [[nodiscard]] bool is_long_answer() const { return answer_bytes_ > kShortAnswer; }
  // The node's last words were a short answer to a request: a few milliseconds of silence mean that it is complete.
  [[nodiscard]] bool has_short_answer() const { return !client_spoke_last_ && !is_long_answer() && !is_in_handshake(); }

 private:
  static constexpr std::uint8_t kHandshakeTurns = 2;

  // Or in the first request.
  [[nodiscard]] bool is_in_handshake() const { return is_tls_ && turns_ <= kHandshakeTurns; }

  TimePoint client_at_{};
  std::size_t answer_bytes_ = 0;  // since the client last spoke
  std::uint8_t turns_ = 0;        // times that the client began to speak, at most kHandshakeTurns + 1
  bool client_spoke_last_ = false;
  bool is_tls_ = false;
};

// Whether these bytes, all that one read gave, are a single TLS record that is too short for a request.
[[nodiscard]] bool is_tls_aside(const char* bytes, std::size_t size);

}  // namespace bellwether::proxy
