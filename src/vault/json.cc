#include "json.h"

#include <limits>
#include <nlohmann/json.hpp>

#include "bellwether/base/nesting.h"
#include "bellwether/base/text.h"

namespace bellwether::vault {
namespace {

constexpr std::size_t kMostNesting = 32;  // nothing of Vault's nests so deep
constexpr std::size_t kMostText = 256;

const nlohmann::json* field(const nlohmann::json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

}  // namespace

nlohmann::json parse_json(std::string_view text) {
  if (nests_deeper_than(kMostNesting, text)) return nlohmann::json(nlohmann::json::value_t::discarded);
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
