#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace bellwether::metrics {

enum class Kind : std::uint8_t { kCounter, kGauge, kHistogram };

// Every metric we export, one row of rows.def each: what conf/REFERENCE.md lists and what the exposition may contain.
enum class Metric : std::uint8_t {
#define BW_METRIC(metric, ...) metric,
#include "bellwether/metrics/rows.def"
};
struct Row {
  Metric metric;
  std::string_view name;  // with prefix and unit
  Kind kind;
  std::string_view help;
  std::vector<std::string_view> labels;
};
[[nodiscard]] const std::vector<Row>& catalogue();
[[nodiscard]] const Row& row(Metric metric);

// One value with its labels, in the order of the row's labels.
struct Sample {
  std::vector<std::string> labels;
  double value = 0;
};
struct HistogramSample {
  std::vector<std::string> labels;
  std::vector<double> bounds;         // upper bounds, without +Inf
  std::vector<std::uint64_t> counts;  // per bucket (not cumulative), one more than bounds
  double sum = 0;
};

// The catalogue as a Markdown table, for conf/REFERENCE.md.
[[nodiscard]] std::string catalogue_markdown();

// Collects one scrape and renders it: Prometheus text format 0.0.4, by prometheus-cpp's serializer. Families come in
// the catalogue's order; one without samples is left out. The caller adds every series from the start, counters at 0.
// REQUIRES: as many labels as the row has, and the overload for the row's kind.
class Scrape {
 public:
  Scrape();
  ~Scrape();
  // What is added from now on is of that cluster, and says so in a label `cluster`. Empty: there is no such label.
  void set_cluster(std::string name);
  void add(Metric metric, Sample sample);
  void add(Metric metric, HistogramSample sample);
  [[nodiscard]] std::string render() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bellwether::metrics
