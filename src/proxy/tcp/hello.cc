#include "hello.h"

#include <algorithm>
#include <optional>

namespace bellwether::proxy {
namespace {

// RFC 8446 section 5.1 (records), 4 (handshake messages), 4.2 (extensions).
constexpr std::uint8_t kHandshakeRecord = 22;
constexpr std::uint8_t kMajorVersion = 3;
constexpr std::size_t kRecordHeader = 5;
constexpr std::size_t kMostInRecord = 16 * 1024;
constexpr std::uint8_t kClientHello = 1;
constexpr std::size_t kMessageHeader = 4;
constexpr std::uint64_t kEarlyData = 42;

// Reads numbers and runs of bytes; once something is missing, all that follows is.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  std::uint64_t number(std::size_t size) {
    std::uint64_t value = 0;
    for (const char c : run(size)) value = value << 8 | static_cast<std::uint8_t>(c);
    return value;
  }
  std::string_view run(std::size_t size) {
    if (size > rest_.size()) is_short_ = true;
    if (is_short_) return {};
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  [[nodiscard]] bool is_short() const { return is_short_; }
  [[nodiscard]] bool empty() const { return rest_.empty(); }
  [[nodiscard]] std::size_t size() const { return rest_.size(); }

 private:
  std::string_view rest_;
  bool is_short_ = false;
};

// Of a whole ClientHello, without its message header. What cannot be read counts as early data.
bool has_early_data(std::string_view body) {
  Reader reader(body);
  reader.run(2 + 32);  // version, random
  reader.run(reader.number(1));
  reader.run(reader.number(2));
  reader.run(reader.number(1));
  if (reader.empty()) return reader.is_short();  // TLS 1.2 without extensions
  Reader extensions(reader.run(reader.number(2)));
  if (reader.is_short() || !reader.empty()) return true;
  while (!extensions.empty() && !extensions.is_short()) {
    if (extensions.number(2) == kEarlyData) return true;
    extensions.run(extensions.number(2));
  }
  return extensions.is_short();
}

// Whether the message in all records so far is a ClientHello, in part or whole.
bool is_hello(std::string_view message, bool has_more_records) {
  if (message.empty()) return true;
  if (static_cast<std::uint8_t>(message[0]) != kClientHello) return false;
  if (message.size() < kMessageHeader) return true;
  Reader reader(message.substr(1));
  const std::size_t length = reader.number(3);
  if (length > Hello::kMost || reader.size() > length) return false;
  if (reader.size() < length) return true;
  return !has_more_records && !has_early_data(message.substr(kMessageHeader));
}

// The same of what came over the wire.
bool is_only_a_hello(std::string_view bytes) {
  std::string message;
  while (!bytes.empty()) {
    if (static_cast<std::uint8_t>(bytes[0]) != kHandshakeRecord) return false;
    if (bytes.size() > 1 && static_cast<std::uint8_t>(bytes[1]) != kMajorVersion) return false;
    if (bytes.size() < kRecordHeader) return is_hello(message, true);
    const std::size_t length = Reader(bytes.substr(3)).number(2);
    if (length == 0 || length > kMostInRecord) return false;
    bytes.remove_prefix(kRecordHeader);
    const std::size_t here = std::min(length, bytes.size());
    message.append(bytes.substr(0, here));
    bytes.remove_prefix(here);
    if (!is_hello(message, !bytes.empty())) return false;
  }
  return true;
}

}  // namespace

void Hello::feed(std::span<const char> bytes) {
  if (!may_be_said_again_ || bytes.empty()) return;
  if (bytes_.empty()) is_tls_ = static_cast<std::uint8_t>(bytes[0]) == kHandshakeRecord;
  if (bytes_.size() + bytes.size() <= kMost) {
    bytes_.append(bytes.data(), bytes.size());
    may_be_said_again_ = is_only_a_hello(bytes_);
  } else {
    may_be_said_again_ = false;
  }
  if (!may_be_said_again_) std::string().swap(bytes_);
}

}  // namespace bellwether::proxy
