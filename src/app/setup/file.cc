#include "file.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <variant>

#include "bellwether/base/visible.h"
#include "bellwether/config/options.h"

namespace bellwether::app::setup {
namespace {

std::string quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string lines_of_nodes(const std::vector<FoundNode>& nodes) {
  std::string out;
  for (const FoundNode& each : nodes) {
    const bool is_last = &each == &nodes.back();
    out += fmt::format("    {}{}  // {}\n", quoted(each.url), is_last ? "" : ",", for_people(each.said));
  }
  return out;
}

}  // namespace

std::string write_file(const config::Config& config, const std::vector<FoundNode>& nodes, const std::string& from,
                       const std::vector<std::string>& aside) {
  std::string out = fmt::format(
      "// Made by `bellwether init {}` of what these nodes said.\n"
      "// `bellwether check --live -f FILE` asks them again; conf/REFERENCE.md has all options.\n",
      for_people(from));
  for (const std::string& each : aside) out += fmt::format("// Not taken: {}\n", for_people(each));
  out += "{\n";
  for (const config::Option& each : config::options()) {
    if (std::holds_alternative<config::NodesField>(each.field) ||
        std::holds_alternative<config::ClustersField>(each.field)) {
      continue;
    }
    const std::string value = config::value_text(each, config);
    const bool is_said = std::holds_alternative<config::ListenField>(each.field) || value != config::default_text(each);
    if (is_said) out += fmt::format("  \"{}\": {},\n", each.key, value);
  }
  return out + fmt::format("  \"nodes\": [\n{}  ]\n}}\n", lines_of_nodes(nodes));
}

}  // namespace bellwether::app::setup
