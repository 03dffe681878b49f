#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "finding.h"
#include "surroundings.h"

namespace bellwether::app::migration {

inline constexpr std::size_t kMaxProblems = 20;
inline constexpr std::size_t kMaxSections = 10'000;
inline constexpr std::size_t kMaxDefaultsLines =
    5'000;                                   // of all "defaults" sections, which other sections look through
inline constexpr int kMaxInheritance = 100;  // "defaults" that come from each other

struct Section {
  enum class Kind { kGlobal, kDefaults, kFrontend, kBackend, kListen, kOther };

  Kind kind = Kind::kOther;
  std::string word;  // "backend"
  std::string name;
  int line = 0;
  std::vector<Line> lines;
  std::optional<std::size_t> parent;  // the "defaults" section that it has its other values from
  int depth = 0;                      // how many there are above it

  [[nodiscard]] bool is_proxy() const {
    return kind == Kind::kFrontend || kind == Kind::kBackend || kind == Kind::kListen;
  }
  [[nodiscard]] bool takes_clients() const { return kind == Kind::kFrontend || kind == Kind::kListen; }
  [[nodiscard]] bool has_servers() const { return kind == Kind::kBackend || kind == Kind::kListen; }
  [[nodiscard]] std::string title() const { return name.empty() ? word : word + " " + name; }
};

struct Problem {
  int line = 0;
  std::string message;
};

// An haproxy.cfg as sections in their order.
struct Document {
  std::vector<Section> sections;
  std::vector<Problem> problems;  // HAProxy would not accept the file either
  std::vector<Line> conditions;   // .if and its kin, which are not evaluated
  std::vector<Problem> unset;     // variables that do not exist here: each name, and the line that asks for it first

  // The last line that begins with these words, in the section or in the "defaults" that it inherits from; nullptr if
  // there is none, or if "no" takes it back.
  [[nodiscard]] const Line* find(const Section& section, std::string_view first, std::string_view second = {}) const;
  // All lines that begin with the word: the section's own, or, if it has none, those that it inherits.
  [[nodiscard]] std::vector<const Line*> all(const Section& section, std::string_view first) const;
  // All lines that the section has and inherits, the inherited ones first.
  [[nodiscard]] std::vector<const Line*> lines_of(const Section& section) const;
};

[[nodiscard]] Document read_sections(std::string_view text, const Surroundings& surroundings);

}  // namespace bellwether::app::migration
