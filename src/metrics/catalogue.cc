#include "bellwether/metrics/catalogue.h"

#include <fmt/format.h>

#include "bellwether/base/assert.h"

namespace bellwether::metrics {
namespace {

std::string_view kind_text(Kind kind) {
  switch (kind) {
    case Kind::kCounter:
      return "counter";
    case Kind::kGauge:
      return "gauge";
    case Kind::kHistogram:
      return "histogram";
  }
  return "";
}

template <typename... Labels>
Row make_row(Metric metric, std::string_view name, Kind kind, std::string_view help, Labels... labels) {
  return {metric, name, kind, help, {labels...}};
}

std::vector<Row> rows() {
#define BW_METRIC(metric, ...) make_row(Metric::metric, __VA_ARGS__),
  return {
#include "bellwether/metrics/rows.def"
  };
}

}  // namespace

const std::vector<Row>& catalogue() {
  static const std::vector<Row> all = rows();
  return all;
}

const Row& row(Metric metric) {
  const auto index = static_cast<std::size_t>(metric);
  BW_ASSERT(index < catalogue().size() && catalogue()[index].metric == metric);
  return catalogue()[index];
}

std::string catalogue_markdown() {
  std::string out = "| metric | type | labels | meaning |\n|---|---|---|---|\n";
  for (const Row& each : catalogue()) {
    std::string labels;
    for (std::string_view label : each.labels) {
      labels += fmt::format("{}`{}`", labels.empty() ? "" : ", ", label);
    }
    out += fmt::format("| `{}` | {} | {} | {} |\n", each.name, kind_text(each.kind), labels, each.help);
  }
  return out;
}

}  // namespace bellwether::metrics
