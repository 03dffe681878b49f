#include "units.h"

#include <charconv>

namespace bellwether::app::migration {

std::optional<Duration> parse_time(std::string_view text) {
  // Bellwether knows fractions and "ns" too.
  if (text.find('.') != std::string_view::npos || text.find("ns") != std::string_view::npos) return std::nullopt;
  const Result<Duration> value = parse_duration(text);
  return value ? std::optional(*value) : std::nullopt;
}

std::optional<int> parse_count(std::string_view text) {
  constexpr int kMost = 1'000'000'000;
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value < 0 || value > kMost ? std::nullopt : std::optional(value);
}

}  // namespace bellwether::app::migration
