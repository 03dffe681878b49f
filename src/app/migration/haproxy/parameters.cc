#include "parameters.h"

#include <fmt/format.h>

#include <algorithm>

#include "bellwether/base/visible.h"

namespace bellwether::app::migration {
namespace {

bool matches(std::string_view pattern, std::string_view word) {
  if (pattern.empty() || pattern.back() != '*') return pattern == word;
  return word.substr(0, pattern.size() - 1) == pattern.substr(0, pattern.size() - 1);
}

const Parameter* find(const std::vector<Parameter>& table, std::string_view word) {
  const auto found =
      std::find_if(table.begin(), table.end(), [&](const Parameter& each) { return matches(each.word, word); });
  return found == table.end() ? nullptr : &*found;
}

}  // namespace

void tell(Fate fate, const Line& line, std::string_view advice, Notes& notes) {
  if (fate == Fate::kNote) notes.note(line, advice);
  if (fate == Fate::kLost) notes.lost(line, advice);
}

std::string_view Parameters::last(std::string_view word) const {
  const std::vector<std::string>& values = all(word);
  return values.empty() ? std::string_view() : std::string_view(values.back());
}

const std::vector<std::string>& Parameters::all(std::string_view word) const {
  static const std::vector<std::string> kNone;
  const auto found = given.find(word);
  return found == given.end() ? kNone : found->second.values;
}

const Line* Parameters::line_of(std::string_view word) const {
  const auto found = given.find(word);
  return found == given.end() ? nullptr : found->second.line;
}

void read_parameters(const Line& line, std::size_t from, const std::vector<Parameter>& table, Parameters& into,
                     Notes& notes) {
  for (std::size_t i = from; i < line.words.size(); ++i) {
    const std::string_view word = line.word(i);
    const Parameter* row = find(table, word);
    if (row == nullptr && word.substr(0, 3) == "no-" && find(table, word.substr(3)) != nullptr) {
      into.given.erase(std::string(word.substr(3)));
      continue;
    }
    if (row == nullptr) {
      const std::string name = for_people(word.substr(0, 60));
      notes.lost(line, fmt::format("the parameter \"{}\" is not known to this import and was left out", name));
      continue;
    }
    std::string text;
    for (int value = 0; value < row->values && i + 1 < line.words.size(); ++value) text = line.words[++i];
    Parameters::Given& given = into.given[std::string(word)];
    given.values.push_back(std::move(text));
    given.line = &line;
    if (!row->advice.empty()) tell(row->fate, line, fmt::format("\"{}\": {}", word, row->advice), notes);
  }
}

}  // namespace bellwether::app::migration
