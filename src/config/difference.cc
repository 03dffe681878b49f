#include "bellwether/config/difference.h"

#include <fmt/format.h>

#include <variant>

#include "bellwether/config/options.h"

namespace bellwether::config {
namespace {

// With what value_text() leaves out: it is a default's text. What a listener has in common with the others is told as
// theirs.
std::string listen_text(const Config& config) {
  std::vector<std::string> parts;
  for (const Listen& each : config.listen) {
    Config as_listened;
    static_cast<ListenOptions&>(as_listened) = static_cast<const ListenOptions&>(each);
    std::string text = value_text(*find_option("mode"), as_listened);
    if (each.accept_proxy) text += ", accept_proxy";
    if (each.fresh) text += ", fresh";
    if (!each.cluster.empty()) text += fmt::format(", cluster \"{}\"", each.cluster);
    for (const std::string_view key : each.own) {
      if (key == "mode" || key == "accept_proxy" || key == "fresh") continue;
      text += fmt::format(", {} {}", key, value_text(*find_option(key), as_listened));
    }
    parts.push_back(fmt::format("\"{}\" ({})", each.address, text));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string text_of(const Option& option, const Config& config) {
  const bool is_listen = std::holds_alternative<ListenField>(option.field);
  return is_listen ? listen_text(config) : value_text(option, config);
}

bool is_in(Part part, const Option& option) {
  if (std::holds_alternative<ClustersField>(option.field)) return false;
  // Listeners are written beside the clusters, but each belongs to one of them.
  const bool is_of_process = option.scope == Scope::kProcess && !std::holds_alternative<ListenField>(option.field);
  return part == Part::kAll || is_of_process == (part == Part::kProcess);
}

}  // namespace

void take_over_reloadable(const Config& from, Config& into, Part part) {
  for (const Option& option : options()) {
    if (option.reloadable && is_in(part, option)) copy_value(option, from, into);
  }
}

Differences differences(const Config& before, const Config& after, Part part) {
  Differences found;
  for (const Option& option : options()) {
    if (std::holds_alternative<NodesField>(option.field) || !is_in(part, option)) continue;
    const std::string from = text_of(option, before);
    const std::string to = text_of(option, after);
    if (from == to) continue;
    (option.reloadable ? found.reloadable : found.others).push_back(fmt::format("{} {} -> {}", option.key, from, to));
  }
  return found;
}

}  // namespace bellwether::config
