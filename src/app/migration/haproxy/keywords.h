#pragma once

#include <vector>

#include "parameters.h"

namespace bellwether::app::migration {

// A line of a section by its first word, or its first two.
struct Keyword {
  std::string_view words;  // "option httplog"; a final "*" stands for any ending
  Fate fate = Fate::kMapped;
  std::string_view advice = {};
};

[[nodiscard]] const std::vector<Keyword>& global_keywords();
[[nodiscard]] const std::vector<Keyword>& proxy_keywords();  // of frontend, backend, listen and defaults
[[nodiscard]] const std::vector<Parameter>& server_parameters();
[[nodiscard]] const std::vector<Parameter>& bind_parameters();

// Tells what becomes of a line by its row; a keyword without a row is lost.
void tell_keyword(const Line& line, const std::vector<Keyword>& table, Notes& notes);

}  // namespace bellwether::app::migration
