#include "bellwether/config/difference.h"

#include <fmt/format.h>

#include <variant>

#include "bellwether/config/options.h"

namespace bellwether::config {
namespace {

// With what value_text() leaves out: it is a default's text.
std::string listen_text(const Option& mode, const Config& config) {
  std::vector<std::string> parts;
  for (const Listen& each : config.listen) {
    Config as_listened;
    as_listened.mode = each.mode;
    parts.push_back(fmt::format("\"{}\" ({}{}{})", each.address, value_text(mode, as_listened),
                                each.accept_proxy ? ", accept_proxy" : "", each.fresh ? ", fresh" : ""));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string text_of(const Option& option, const Config& config) {
  const bool is_listen = std::holds_alternative<ListenField>(option.field);
  return is_listen ? listen_text(*find_option("mode"), config) : value_text(option, config);
}

struct TakeOver {
  const Config& from;
  Config& into;
  template <typename Field>
  void operator()(const Field& field) const {
    into.*field.member = from.*field.member;
  }
  void operator()(const EnumField& field) const { field.set(into, field.get(from)); }
  void operator()(const ListenField&) const { into.listen = from.listen; }
  void operator()(const NodesField&) const { into.nodes = from.nodes; }
};

}  // namespace

void take_over_reloadable(const Config& from, Config& into) {
  for (const Option& option : options()) {
    if (option.reloadable) std::visit(TakeOver{from, into}, option.field);
  }
}

Differences differences(const Config& before, const Config& after) {
  Differences found;
  for (const Option& option : options()) {
    if (std::holds_alternative<NodesField>(option.field)) continue;
    const std::string from = text_of(option, before);
    const std::string to = text_of(option, after);
    if (from == to) continue;
    (option.reloadable ? found.reloadable : found.others).push_back(fmt::format("{} {} -> {}", option.key, from, to));
  }
  return found;
}

}  // namespace bellwether::config
