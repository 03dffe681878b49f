#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bellwether/config/config.h"

namespace bellwether::config {

struct Position {
  int line = 0;  // both 1-based; columns count bytes
  int column = 0;

  friend bool operator==(const Position&, const Position&) = default;
};

// A JSON value that knows where it was written.
struct Json {
  enum class Kind { kNull, kBool, kInteger, kFraction, kString, kArray, kObject };
  struct Member;

  Kind kind = Kind::kNull;
  Position at;
  std::string text;  // a string's value; a number or literal as written
  std::vector<Json> items;
  std::vector<Member> members;

  // "a string", "an array", "2.9": what stands there, for people.
  [[nodiscard]] std::string described() const;
};

struct Json::Member {
  std::string key;
  Position at;
  Json value;
};

struct Finding {
  Position at;
  std::string message;
};

// JSON with // and /* */ comments. Findings: the syntax error that ended it, if any, and every duplicate key.
struct ParsedJson {
  Json root;
  bool is_complete = false;
  std::vector<Finding> findings;
};
[[nodiscard]] ParsedJson parse_json(std::string_view text);

}  // namespace bellwether::config
