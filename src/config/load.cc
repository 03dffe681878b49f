#include "bellwether/config/load.h"

#include <fmt/format.h>

#include <algorithm>

#include "bellwether/base/text.h"
#include "draft.h"
#include "text_values.h"

namespace bellwether::config {
namespace {

constexpr std::string_view kPrefix = "BELLWETHER_";

// Text from a variable or a flag; `name` is how the person knows it.
void apply_text(const Option& option, std::string_view name, std::string_view text, const Place& place, Draft& draft) {
  if (is_file_only(option)) {
    return draft.problem(place, fmt::format("{}: only a file can say it: objects with a name and nodes", name));
  }
  draft.places[option.key] = place;
  if (std::holds_alternative<ListenField>(option.field)) {
    draft.listen.clear();
    draft.named_clusters.clear();
    for (std::string_view each : split_list(text)) {
      add_listener(ListenEntry{std::string(each), place}, draft);
    }
    return;
  }
  if (std::holds_alternative<NodesField>(option.field)) {
    draft.nodes = {};
    for (std::string_view each : split_list(text)) add_node(NodeEntry{{}, place}, each, draft.nodes, draft);
    return;
  }
  if (const auto* list = std::get_if<ListField>(&option.field)) {
    (draft.config.*list->member).clear();
    for (std::string_view each : split_list(text)) add_item(option, *list, each, place, draft.config, draft);
    return;
  }
  if (const auto* field = std::get_if<CertificatesField>(&option.field)) {
    (draft.config.*field->member).clear();
    for (std::string_view each : split_list(text)) {
      if (!each.empty()) add_certificate(option, *field, {std::string(each), ""}, place, draft.config, draft);
    }
    return;
  }
  if (const Result<void> set = set_scalar(option, text, draft.config); !set) {
    draft.problem(place, fmt::format("{}: {}", name, set.error().message));
  }
}

// Go's strconv.ParseBool, as Vault's own tools read it (V:api/client.go, ReadEnvironment).
std::optional<bool> go_bool(std::string_view text) {
  for (std::string_view yes : {"1", "t", "T", "TRUE", "true", "True"}) {
    if (text == yes) return true;
  }
  for (std::string_view no : {"0", "f", "F", "FALSE", "false", "False"}) {
    if (text == no) return false;
  }
  return std::nullopt;
}

void apply_borrowed(const std::map<std::string, std::string>& environment, Draft& draft) {
  for (const Option& option : options()) {
    for (std::string_view name : option.borrowed) {
      const auto found = environment.find(std::string(name));
      if (found == environment.end() || found->second.empty()) continue;
      const Place place{"environment", {}};
      if (!std::holds_alternative<FlagField>(option.field)) {
        apply_text(option, name, found->second, place, draft);
      } else if (const std::optional<bool> skip = go_bool(found->second)) {
        apply_text(option, name, *skip ? "false" : "true", place, draft);
      } else {
        draft.problem(place, fmt::format("{}: must be true or false, not \"{}\"", name, found->second));
      }
    }
  }
}

// Of other commands, and of the tests and tools of this repository.
bool is_command_variable(std::string_view name) {
  for (std::string_view known :
       {"BELLWETHER_BINARY", "BELLWETHER_CLUSTER", "BELLWETHER_INHERITED", "BELLWETHER_OF_UNITS", "BELLWETHER_REWRITE",
        "BELLWETHER_SERVER", "BELLWETHER_TEXTS"}) {
    if (name == known) return true;
  }
  return false;
}

std::vector<std::string_view> variable_keys() {
  std::vector<std::string_view> keys;
  for (const Option& option : options()) {
    if (!is_file_only(option)) keys.push_back(option.key);
  }
  return keys;
}

void apply_environment(const std::map<std::string, std::string>& environment, Draft& draft) {
  const Place place{"environment", {}};
  for (const Option& option : options()) {
    const std::string name = environment_name(option);
    const auto found = environment.find(name);
    if (found != environment.end() && !found->second.empty()) apply_text(option, name, found->second, place, draft);
  }
  for (const auto& [name, value] : environment) {
    if (name.compare(0, kPrefix.size(), kPrefix) != 0) continue;
    const std::string key = lower_ascii(std::string_view(name).substr(kPrefix.size()));
    if (find_option(key) != nullptr) continue;
    if (is_command_variable(name)) continue;
    const auto meant = nearest(key, variable_keys());
    draft.hint(place,
               meant ? fmt::format("{} is not used; did you mean {}?", name, environment_name(*find_option(*meant)))
                     : fmt::format("{} is not used: there is no such option", name));
  }
}

}  // namespace

Loaded load(const Sources& sources) {
  Draft draft;
  apply_borrowed(sources.environment, draft);
  if (sources.file) read_file(*sources.file, draft);
  apply_environment(sources.environment, draft);
  for (const auto& [key, text] : sources.flags) {
    const Option* option = find_option(key);
    if (option == nullptr) continue;
    const std::string_view name = option->flag.empty() ? option->key : option->flag;
    apply_text(*option, name, text, Place{"command line", {}}, draft);
  }
  finish(draft, sources);
  const auto by_line = [](const Problem& a, const Problem& b) {
    return a.file == b.file && a.line > 0 && b.line > 0 && std::pair(a.line, a.column) < std::pair(b.line, b.column);
  };
  std::stable_sort(draft.problems.begin(), draft.problems.end(), by_line);
  return Loaded{std::move(draft.config), std::move(draft.problems), std::move(draft.hints)};
}

}  // namespace bellwether::config
