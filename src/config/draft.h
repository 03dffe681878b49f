#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bellwether/config/config.h"
#include "bellwether/config/load.h"
#include "bellwether/config/options.h"
#include "json_tree.h"

namespace bellwether::config {

// Where a value was written: a place in a file, or a variable, or a flag (then line is 0).
struct Place {
  std::string file;
  Position at;
};

struct ListenEntry {
  std::string address;
  Place at;
  Config own{};                              // what its object says, in the options that a listener may have of its own
  std::map<std::string_view, Place> said{};  // these, by option key: where
};
struct NodeEntry {
  Node node;
  Place at;
};

// A configuration while its layers are being laid on; each layer overwrites what it names.
struct Draft {
  Config config;
  std::vector<ListenEntry> listen;
  std::vector<NodeEntry> nodes;
  std::map<std::string_view, Place> places;  // by option key: where it was last set, even if wrongly
  bool is_readable = true;                   // no syntax error: it makes sense to say what is missing
  bool has_too_many_nodes = false;           // told once
  std::vector<Problem> problems, hints;

  void problem(const Place& place, std::string message);
  void hint(const Place& place, std::string message);
  [[nodiscard]] bool is_set(std::string_view key) const { return places.count(key) > 0; }
};

void read_file(const File& file, Draft& draft);
// One address or URL, from whatever layer. Returns false after having reported why it is wrong.
bool add_listener(ListenEntry entry, Draft& draft);
bool add_node(NodeEntry entry, std::string_view url, Draft& draft);
// One item of a list option, likewise.
bool add_item(const Option& option, const ListField& list, std::string_view text, const Place& place, Config& config,
              Draft& draft);
bool add_certificate(const Option& option, const CertificatesField& field, Certificate certificate, const Place& place,
                     Config& config, Draft& draft);
// What only the whole can tell: defaults that depend on others, missing, contradicting and doubled values.
void finish(Draft& draft, const Sources& sources);

}  // namespace bellwether::config
