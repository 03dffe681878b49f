#pragma once

#include <map>
#include <optional>
#include <set>
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

  friend bool operator==(const Place&, const Place&) = default;
};

struct ListenEntry {
  std::string address;
  Place at;
  std::string cluster{};  // as its object says; later that of the only cluster, where it says none
  Place cluster_at{};
  Config own{};                              // what its object says, in the options that a listener may have of its own
  std::map<std::string_view, Place> said{};  // these, by option key: where
};
struct NodeEntry {
  Node node;
  Place at;
};
struct NodeList {
  std::vector<NodeEntry> entries;
  bool has_too_many = false;  // told once
};
struct ClusterEntry {
  std::string name;  // empty: missing or wrong, which has been reported
  Place at;
  NodeList nodes{};
  Config own{};                              // what its object says, in the options that a cluster may have of its own
  std::map<std::string_view, Place> said{};  // these and its nodes, by option key: where
};
// A complaint that nobody uses what `key` says.
struct UnusedValue {
  std::string_view key;
  Problem problem;
};

// A configuration while its layers are being laid on; each layer overwrites what it names. Of several clusters each is
// finished as a draft of its own.
struct Draft {
  Config config;
  std::vector<ListenEntry> listen;
  NodeList nodes;
  std::vector<ClusterEntry> clusters;
  std::set<std::string> named_clusters;      // by listeners, even by those with errors
  std::map<std::string_view, Place> places;  // by option key: where it was last set, even if wrongly
  std::map<std::string_view, Place> own;     // of a cluster's draft: what the cluster says itself, and where
  bool is_readable = true;                   // no syntax error: it makes sense to say what is missing
  std::vector<Problem> problems, hints;
  std::vector<UnusedValue> unused;  // which of `problems` and `hints` do not hold where another cluster uses the value

  void problem(const Place& place, std::string message);
  void hint(const Place& place, std::string message);
  // "KEY: WHY", where nobody uses the value.
  void unused_problem(std::string_view key, const Place& place, std::string_view why);
  void unused_hint(std::string_view key, const Place& place, std::string_view why);
  [[nodiscard]] bool is_set(std::string_view key) const { return places.count(key) > 0; }
  // Where one of the two was said: what a cluster says itself goes before what is said for all, and `key` before
  // `other`.
  [[nodiscard]] Place place_of(std::string_view key, std::string_view other = {}) const;
};

void read_file(const File& file, Draft& draft);
// One address or URL, from whatever layer. Returns false after having reported why it is wrong.
bool add_listener(ListenEntry entry, Draft& draft);
bool add_node(NodeEntry entry, std::string_view url, NodeList& nodes, Draft& draft);
// One item of a list option, likewise.
bool add_item(const Option& option, const ListField& list, std::string_view text, const Place& place, Config& config,
              Draft& draft);
bool add_certificate(const Option& option, const CertificatesField& field, Certificate certificate, const Place& place,
                     Config& config, Draft& draft);
// What only the whole can tell: defaults that depend on others, missing, contradicting and doubled values.
void finish(Draft& draft, const Sources& sources);

}  // namespace bellwether::config
