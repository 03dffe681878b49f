#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bellwether/config/config.h"

namespace bellwether::config {

struct File {
  std::string name;  // as problems name it
  std::string text;
};

// Everything that a configuration is made of, weakest first: defaults, VAULT_* and BAO_* (TLS to the nodes only), the
// file, BELLWETHER_*, flags. A list given by a stronger layer replaces the weaker one as a whole.
struct Sources {
  std::optional<File> file;
  std::map<std::string, std::string> environment;          // empty values count as absent
  std::vector<std::pair<std::string, std::string>> flags;  // option key, value; lists with commas
};

// All problems at once, in the order in which a person meets them; the config is valid if there is none.
struct Loaded {
  Config config;
  std::vector<Problem> problems;
  std::vector<Problem> hints;  // legal, but probably not what was meant
};
[[nodiscard]] Loaded load(const Sources& sources);

}  // namespace bellwether::config
