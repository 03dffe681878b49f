#include "import.h"

#include <fmt/format.h>

#include <algorithm>

#include "bellwether/base/visible.h"
#include "context.h"

namespace bellwether::app::migration {
namespace {

std::string titles_of(const Cluster& cluster) {
  std::vector<std::string> titles;
  for (const Section* each : cluster.backends) titles.push_back(for_people(each->title().substr(0, 100)));
  return fmt::format("{}", fmt::join(titles, " and "));
}

Plan plan_of(const Document& document, const Cluster& cluster, const Surroundings& surroundings) {
  Plan plan;
  plan.cluster = titles_of(cluster);
  Notes notes;
  Context context{document, cluster, surroundings, notes, plan, {}};
  read_servers(context);
  map_listeners(context);
  map_nodes(context);
  map_node_tls(context);
  map_probes(context);
  map_limits(context);
  tell_the_rest(context);
  plan.findings = notes.take();
  return plan;
}

}  // namespace

bool Import::loses() const {
  return std::any_of(plan.findings.begin(), plan.findings.end(),
                     [](const Finding& each) { return each.kind == FindingKind::kLost; });
}

Import import_haproxy(std::string_view text, std::string_view name, const std::vector<std::string>& names,
                      const Surroundings& surroundings) {
  Import out;
  const Document document = read_sections(text, surroundings);
  for (const Problem& each : document.problems) {
    out.problems.push_back(fmt::format("{}:{}: {}", for_people(name), each.line, each.message));
  }
  if (!out.problems.empty()) return out;
  Choice choice = choose_cluster(document, names);
  if (!choice.cluster) {
    out.choice = fmt::format("{}: {}", for_people(name), choice.problem);
    return out;
  }
  out.plan = plan_of(document, *choice.cluster, surroundings);
  if (out.plan.nodes.empty()) {
    out.problems.push_back(fmt::format("{}: no server of {} has an address that Bellwether can connect to",
                                       for_people(name), out.plan.cluster));
  }
  return out;
}

}  // namespace bellwether::app::migration
