#include "dialogue.h"

#include <algorithm>

namespace bellwether::proxy {
namespace {

constexpr std::size_t kRecordHeader = 5;
constexpr char kApplicationData = 23;  // RFC 8446 section 5.1

}  // namespace

void Dialogue::client_spoke(TimePoint at) {
  if (!client_spoke_last_) turns_ = std::min<std::uint8_t>(turns_ + 1, kHandshakeTurns + 1);
  client_spoke_last_ = true;
  client_at_ = at;
  answer_bytes_ = 0;
}

void Dialogue::node_spoke(std::size_t bytes) {
  client_spoke_last_ = false;
  answer_bytes_ += bytes;
}

bool is_tls_aside(const char* bytes, std::size_t size) {
  if (size < kRecordHeader || size > Dialogue::kMaxAside || bytes[0] != kApplicationData) return false;
  const auto byte = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(bytes[i])); };
  return size == kRecordHeader + (byte(3) << 8U) + byte(4);
}

}  // namespace bellwether::proxy
