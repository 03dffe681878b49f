#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "finding.h"
#include "notes.h"

namespace bellwether::app::migration {

// What becomes of a word of an haproxy.cfg.
enum class Fate {
  kMapped,  // what reads the line's values tells of it
  kQuiet,   // nothing to tell: Bellwether does the same, or it is about HAProxy itself
  kNote,
  kLost,
};

// Tells of it as its fate says.
void tell(Fate fate, const Line& line, std::string_view advice, Notes& notes);

// A parameter of a `server` or `bind` line: its name, how many values follow it, and its fate.
struct Parameter {
  std::string_view word;  // a final "*" stands for any ending
  int values = 0;
  Fate fate = Fate::kMapped;
  std::string_view advice = {};
};

// The parameters of a line, with those that "default-server" lines gave before.
struct Parameters {
  struct Given {
    std::vector<std::string> values;
    const Line* line = nullptr;  // that gave the last one
  };
  std::map<std::string, Given, std::less<>> given;

  [[nodiscard]] bool has(std::string_view word) const { return given.find(word) != given.end(); }
  // The value that was given last; "" if there is none.
  [[nodiscard]] std::string_view last(std::string_view word) const;
  [[nodiscard]] const std::vector<std::string>& all(std::string_view word) const;
  // nullptr if it is not given.
  [[nodiscard]] const Line* line_of(std::string_view word) const;
};

// Adds the parameters from word number `from` on; the line must outlive them. "no-WORD" takes WORD back.
void read_parameters(const Line& line, std::size_t from, const std::vector<Parameter>& table, Parameters& into,
                     Notes& notes);

}  // namespace bellwether::app::migration
