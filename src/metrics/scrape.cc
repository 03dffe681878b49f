#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <limits>
#include <sstream>
#include <utility>

#include "bellwether/base/assert.h"
#include "bellwether/metrics/catalogue.h"

namespace bellwether::metrics {
namespace {

prometheus::MetricType type_of(Kind kind) {
  switch (kind) {
    case Kind::kCounter:
      return prometheus::MetricType::Counter;
    case Kind::kGauge:
      return prometheus::MetricType::Gauge;
    case Kind::kHistogram:
      return prometheus::MetricType::Histogram;
  }
  return prometheus::MetricType::Untyped;
}

// Label values come from the configuration and from nodes; a scrape that is not UTF-8 is refused as a whole.
std::string utf8_only(std::string_view text) {
  const bool is_ascii = text.find_first_of('\0') == std::string_view::npos &&
                        std::all_of(text.begin(), text.end(), [](char c) { return (c & 0x80) == 0; });
  if (is_ascii) return std::string(text);
  std::string out;
  for (const char c : text) out += (c & 0x80) != 0 || c == '\0' ? '?' : c;
  return out;
}

prometheus::ClientMetric labelled(const Row& row, const std::string& cluster, const std::vector<std::string>& values) {
  BW_ASSERT(values.size() == row.labels.size());
  prometheus::ClientMetric metric;
  if (!cluster.empty()) metric.label.push_back({"cluster", utf8_only(cluster)});
  for (std::size_t i = 0; i < values.size(); ++i) {
    metric.label.push_back({std::string(row.labels[i]), utf8_only(values[i])});
  }
  return metric;
}

}  // namespace

struct Scrape::Impl {
  std::vector<prometheus::MetricFamily> families;  // by Metric
  std::string cluster;

  prometheus::MetricFamily& family(Metric metric) { return families[static_cast<std::size_t>(metric)]; }
};

Scrape::Scrape() : impl_(std::make_unique<Impl>()) {
  for (const Row& each : catalogue()) {
    impl_->families.push_back({std::string(each.name), std::string(each.help), type_of(each.kind), {}});
  }
}

Scrape::~Scrape() = default;

void Scrape::set_cluster(std::string name) { impl_->cluster = std::move(name); }

void Scrape::add(Metric metric, Sample sample) {
  const Row& described = row(metric);
  BW_ASSERT(described.kind != Kind::kHistogram);
  prometheus::ClientMetric one = labelled(described, impl_->cluster, sample.labels);
  (described.kind == Kind::kCounter ? one.counter.value : one.gauge.value) = sample.value;
  impl_->family(metric).metric.push_back(std::move(one));
}

void Scrape::add(Metric metric, HistogramSample sample) {
  const Row& described = row(metric);
  BW_ASSERT(described.kind == Kind::kHistogram);
  BW_ASSERT(sample.counts.size() == sample.bounds.size() + 1);
  prometheus::ClientMetric one = labelled(described, impl_->cluster, sample.labels);
  std::uint64_t cumulative = 0;
  for (std::size_t i = 0; i < sample.counts.size(); ++i) {
    cumulative += sample.counts[i];
    const double bound = i < sample.bounds.size() ? sample.bounds[i] : std::numeric_limits<double>::infinity();
    one.histogram.bucket.push_back({cumulative, bound});
  }
  one.histogram.sample_count = cumulative;
  one.histogram.sample_sum = sample.sum;
  impl_->family(metric).metric.push_back(std::move(one));
}

std::string Scrape::render() const {
  std::vector<prometheus::MetricFamily> filled;
  for (const prometheus::MetricFamily& family : impl_->families) {
    if (!family.metric.empty()) filled.push_back(family);
  }
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, filled);
  return out.str();
}

}  // namespace bellwether::metrics
