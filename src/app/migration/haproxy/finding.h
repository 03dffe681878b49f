#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bellwether::app::migration {

// One line of an haproxy.cfg, as words.
struct Line {
  int number = 0;
  std::vector<std::string> words;

  // "" where the line is shorter.
  [[nodiscard]] std::string_view word(std::size_t index) const {
    return index < words.size() ? std::string_view(words[index]) : std::string_view();
  }
};

// What became of something that an haproxy.cfg says.
enum class FindingKind {
  kLost,    // Bellwether has no counterpart: clients or operators may miss it
  kDecide,  // the file does not tell: a person must look at what was chosen
  kNote,    // it is said otherwise, or need not be said
  kBetter,  // what gets better
};

struct Finding {
  FindingKind kind = FindingKind::kNote;
  int line = 0;  // 0: of the file as a whole
  std::string subject;
  std::string advice;  // what follows, and what to do about it
};

[[nodiscard]] std::string_view word_of(FindingKind kind);  // "lost"

// The line as it may be shown: one line, cut where it is long, and without what may be a secret (passwords, the values
// of headers).
[[nodiscard]] std::string shown(const Line& line);

}  // namespace bellwether::app::migration
