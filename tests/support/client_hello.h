#pragma once

#include <cstddef>
#include <string>

namespace bellwether {

struct HelloShape {
  bool early_data = false;
  bool has_extensions = true;
  std::size_t key_share = 32;              // bytes: post-quantum ones span segments
  std::size_t largest_record = 16 * 1024;  // the message is spread over records of at most that many bytes
};

// A TLS ClientHello as it goes over the wire (RFC 8446 sections 4.1.2 and 5.1).
inline std::string client_hello(const HelloShape& shape) {
  const auto number = [](std::size_t value, int bytes) {
    std::string out;
    for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i) & 0xff);
    return out;
  };
  const auto extension = [&](std::size_t type, const std::string& content) {
    return number(type, 2) + number(content.size(), 2) + content;
  };
  std::string extensions = extension(43, "\x02\x03\x04");
  if (shape.early_data) extensions += extension(42, "");
  extensions += extension(51, std::string(shape.key_share, 'k'));
  std::string body = "\x03\x03" + std::string(32, 'r') + number(32, 1) + std::string(32, 'i') + number(4, 2) +
                     "\x13\x01\x13\x02" + number(1, 1) + std::string(1, '\0');
  if (shape.has_extensions) body += number(extensions.size(), 2) + extensions;
  const std::string message = "\x01" + number(body.size(), 3) + body;
  std::string wire;
  for (std::size_t at = 0; at < message.size(); at += shape.largest_record) {
    const std::string part = message.substr(at, shape.largest_record);
    wire += "\x16\x03\x01" + number(part.size(), 2) + part;
  }
  return wire;
}

}  // namespace bellwether
