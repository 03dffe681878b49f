#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace bellwether::proxy {

// What a TLS client says first, kept so that it can be said again to another node: as long as it is one ClientHello
// (RFC 8446 section 4.1.2) or the beginning of one, and nothing else. A node that has not answered it has executed
// nothing. Early data (section 4.2.10) is a request already: what announces it is not kept. Pure.
class Hello {
 public:
  static constexpr std::size_t kMost = 16 * 1024;  // post-quantum hellos take about 2 KiB
  static constexpr int kMostReplays = 8;           // how many nodes it may be said to that do not answer it

  void feed(std::span<const char> bytes);
  // True from the start until something else comes.
  [[nodiscard]] bool may_be_said_again() const { return may_be_said_again_; }
  [[nodiscard]] std::string_view bytes() const { return bytes_; }
  // The client has said nothing yet.
  [[nodiscard]] bool is_unbegun() const { return may_be_said_again_ && bytes_.empty(); }
  // Another node may be given what the client has said.
  [[nodiscard]] bool may_be_replayed() const {
    return may_be_said_again_ && !bytes_.empty() && replays_ < kMostReplays;
  }
  void note_replay() { ++replays_; }
  [[nodiscard]] bool was_replayed() const { return replays_ > 0; }
  // The client's first byte was that of a TLS handshake record.
  [[nodiscard]] bool is_tls() const { return is_tls_; }

 private:
  std::string bytes_;
  bool may_be_said_again_ = true;
  bool is_tls_ = false;
  std::uint8_t replays_ = 0;
};

}  // namespace bellwether::proxy
