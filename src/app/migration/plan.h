#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/migration/haproxy/finding.h"

namespace bellwether::app::migration {

// Where a value of the new file comes from; line 0: from nowhere, it is proposed.
struct Source {
  int line = 0;
  std::string text;

  Source() = default;
  explicit Source(const Line& from) : line(from.number), text(shown(from)) {}
};

// `"key": value` of the new file.
struct Setting {
  std::string_view key;  // of the option table
  std::string value;     // as JSON
  Source from;
  std::string remark = {};  // a sentence behind it
  bool is_off = false;      // written as a comment: a proposal
};

struct Listener {
  std::string address;
  Source from;
  std::vector<Setting> settings;
};

struct Node {
  std::string url;
  std::string name;         // empty: that of the host
  std::string server_name;  // empty: as for all
  Source from;
  std::string remark = {};
  bool is_off = false;
};

// A Bellwether configuration with the origin of each of its lines.
struct Plan {
  std::string cluster;  // "backend vault"
  std::vector<Listener> listeners;
  std::vector<Node> nodes;
  std::vector<Setting> settings;
  std::vector<Finding> findings;
};

[[nodiscard]] std::string json_string(std::string_view text);

}  // namespace bellwether::app::migration
