#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace bellwether::app {

// For commands that show a running Bellwether's JSON to people. Lenient: another version of it may leave things out,
// and what is not there, or of another type, is empty, 0, false or null.
using Json = nlohmann::json;
[[nodiscard]] std::string text_of(const Json& object, const char* key);
[[nodiscard]] double number_of(const Json& object, const char* key, double otherwise = 0);
[[nodiscard]] bool flag_of(const Json& object, const char* key);
[[nodiscard]] const Json& part_of(const Json& object, const char* key);
// Each text of a list on an indented line of its own, behind `before`.
[[nodiscard]] std::string lines_of(const Json& object, const char* key, std::string_view before = {});

// "531ms", "90.0s", "5min"
[[nodiscard]] std::string span_text(double seconds);
// Columns as wide as they must be; the first row is the heading.
using Row = std::vector<std::string>;
[[nodiscard]] std::string table(const std::vector<Row>& rows);

}  // namespace bellwether::app
