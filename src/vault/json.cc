#include "json.h"

#include <limits>
#include <nlohmann/json.hpp>

#include "bellwether/base/text.h"

namespace bellwether::vault {
namespace {

constexpr std::size_t kMostNesting = 32;
constexpr std::size_t kMostText = 256;

// Nesting costs the parser memory per level and its values a destructor call each; nothing of Vault's nests so deep.
bool nests_too_deep(std::string_view text) {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kMostNesting) return true;
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return false;
}

const nlohmann::json* field(const nlohmann::json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

}  // namespace

nlohmann::json parse_json(std::string_view text) {
  if (nests_too_deep(text)) return nlohmann::json(nlohmann::json::value_t::discarded);
  return nlohmann::json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
}

std::optional<bool> bool_at(const nlohmann::json& object, const char* key) {
  const nlohmann::json* value = field(object, key);
  if (value == nullptr || !value->is_boolean()) return std::nullopt;
  return value->get<bool>();
}

std::optional<std::int64_t> integer_at(const nlohmann::json& object, const char* key) {
  const nlohmann::json* value = field(object, key);
  if (value == nullptr || !value->is_number_integer()) return std::nullopt;
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (value->is_number_unsigned() && value->get<std::uint64_t>() > kMost) return std::nullopt;
  return value->get<std::int64_t>();
}

std::string text_at(const nlohmann::json& object, const char* key) {
  const nlohmann::json* value = field(object, key);
  if (value == nullptr || !value->is_string()) return {};
  return printable(value->get_ref<const std::string&>(), kMostText);
}

}  // namespace bellwether::vault
