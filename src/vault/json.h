#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace bellwether::vault {

// Private to this module: JSON from the network, where every field may be missing or of the wrong type.

// A discarded value if it is not JSON, or nested deeper than any answer of Vault's. Never throws.
[[nodiscard]] nlohmann::json parse_json(std::string_view text);

// The field if `object` is an object that has it with that type.
[[nodiscard]] std::optional<bool> bool_at(const nlohmann::json& object, const char* key);
[[nodiscard]] std::optional<std::int64_t> integer_at(const nlohmann::json& object, const char* key);
// Empty if absent or no string; at most 256 bytes, printable ASCII: it goes into logs, labels and the status page.
[[nodiscard]] std::string text_at(const nlohmann::json& object, const char* key);

}  // namespace bellwether::vault
