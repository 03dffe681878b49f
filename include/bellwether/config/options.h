#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "bellwether/base/result.h"
#include "bellwether/config/config.h"

namespace bellwether::config {

// Where an option's value lives in Config, and which values it takes.
struct TextField {
  std::string Config::*member;
  std::string_view what;                        // "a file name"
  bool (*accepts)(std::string_view) = nullptr;  // null: any text that is not empty
};
struct FlagField {
  bool Config::*member;
};
struct IntField {
  int Config::*member;
  int min, max;
  std::string_view word_for_zero = {};  // "auto"
};
struct DurationField {
  Duration Config::*member;
  Duration min, max;
};
struct EnumField {
  std::vector<std::string_view> values;
  void (*set)(Config&, std::size_t value);
  std::size_t (*get)(const Config&);
};
// A list of texts; in files one alone may stand without its brackets.
struct ListField {
  std::vector<std::string> Config::*member;
  std::string_view what;  // "a list of addresses"
  Result<void> (*check)(std::string_view);
};
// Certificates: a file, or a list of files and objects with cert and key. An empty text is none.
struct CertificatesField {
  std::vector<Certificate> Config::*member;
};
struct ListenField {};
struct NodesField {};
struct ClustersField {};
using Field = std::variant<TextField, FlagField, IntField, DurationField, EnumField, ListField, CertificatesField,
                           ListenField, NodesField, ClustersField>;

// Who may have an option of its own. What a listener may have, each cluster may have too.
enum class Scope : std::uint8_t { kProcess, kCluster, kListener };

// One row of the table from which the parser, --help, the JSON Schema, conf/bellwether.json and conf/REFERENCE.md come.
struct Option {
  std::string_view key;
  std::string_view group;
  Field field;
  bool reloadable;
  std::string_view flag;  // "--inter"; "--no-..." sets a FlagField to false; empty: none
  std::string_view doc;   // one sentence
  // Variables of Vault's and OpenBao's own tools that serve as defaults, the weakest first; a file beats them.
  std::vector<std::string_view> borrowed = {};
  Scope scope = Scope::kCluster;  // kListener: its member is one of ListenOptions
};

[[nodiscard]] const std::vector<Option>& options();
[[nodiscard]] const Option* find_option(std::string_view key);
[[nodiscard]] std::vector<std::string_view> option_keys();
// What an object of `listen` may hold: "address", "cluster", and the options that a listener may have of its own.
[[nodiscard]] std::vector<std::string_view> listener_keys();
// What an object of `clusters` may hold: "name", and the options that a cluster may have of its own, "nodes" included.
[[nodiscard]] std::vector<std::string_view> cluster_keys();
// Neither a variable nor a flag can give it.
[[nodiscard]] bool is_file_only(const Option& option);
// "BELLWETHER_INTER"
[[nodiscard]] std::string environment_name(const Option& option);
// What the option takes, for people: "a whole number from 1 to 100".
[[nodiscard]] std::string expected(const Option& option);
// The value as a file spells it, quotes included: "\"250ms\"", "3", "true"; lists are JSON arrays.
[[nodiscard]] std::string value_text(const Option& option, const Config& config);
// `into` has the option as `from` has it.
void copy_value(const Option& option, const Config& from, Config& into);
// As value_text of a Config that nobody has touched.
[[nodiscard]] std::string default_text(const Option& option);

}  // namespace bellwether::config
