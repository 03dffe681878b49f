#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace bellwether::vault {

// A path read as a node reads it, percent-decoded once, without a copy.
class DecodedPath {
 public:
  explicit DecodedPath(std::string_view raw) : rest_(raw) {}
  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  // REQUIRES: !at_end(). A "%" that starts no code stands for itself: a node refuses the whole request.
  char next();
  // Takes `text` if it stands here.
  bool take(std::string_view text);

 private:
  std::string_view rest_;
};

// Empty if a "%" is not followed by two hexadecimal digits.
[[nodiscard]] std::optional<std::string> percent_decoded(std::string_view path);

}  // namespace bellwether::vault
