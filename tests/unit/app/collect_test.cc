#include "app/report/collect.h"

#include <fmt/format.h>

#include <memory>
#include <string>
#include <utility>

#include "bellwether/metrics/catalogue.h"
#include "bellwether/metrics/slots.h"
#include "catch.hpp"
#include "proxy/core/counters.h"

using namespace bellwether;

namespace {

constexpr NodeId kNode{0};

// A cluster of one node of which nothing has happened yet.
app::ScrapeInput scrape_of_one_node() {
  auto view = std::make_shared<cluster::View>();
  view->topology = cluster::first_topology({{"n1", "http://n1:8200"}});
  view->nodes.add(kNode);
  app::ClusterScrape one;
  one.view = std::move(view);
  probe::ProbeCounts& probes = one.probes.add(kNode);
  probes.failures.resize(cluster::kProbeFailureCount + 1);
  probes.duration_buckets.resize(std::size(probe::kProbeBuckets) + 1);
  one.proxy.nodes.add(kNode);
  app::ScrapeInput input;
  input.clusters.push_back(std::move(one));
  return input;
}

template <typename Slots>
std::string line_of(const metrics::Slot<Slots, std::uint64_t>& slot, std::string_view label, std::uint64_t value) {
  const metrics::Row& row = metrics::row(slot.metric);
  REQUIRE(row.labels.size() == (label.empty() ? 0 : 1));
  return label.empty() ? fmt::format("\n{} {}\n", row.name, value)
                       : fmt::format("\n{}{{{}=\"{}\"}} {}\n", row.name, row.labels.front(), label, value);
}

// Each slot of `slots` gets a number of its own.
template <typename Slots>
void fill(Slots& slots, std::uint64_t first) {
  for (const auto& slot : Slots::all()) slots.*slot.cell = first++;
}

// ... and is scraped with it.
template <typename Slots>
void check_lines(const std::string& text, std::uint64_t first, std::string_view label = {}) {
  for (const auto& slot : Slots::all()) {
    CHECK_THAT(text, CATCH_CONTAINS(line_of(slot, label.empty() ? slot.label : label, first)));
    ++first;
  }
}

template <template <typename> typename Slots, typename Counters, typename Counts>
void check_sum(Counters& counters, Counts& sum) {
  std::uint64_t next = 1;
  for (const auto& slot : Slots<proxy::Counter>::all()) (counters.*slot.cell).add(next++);
  add_to(sum, counters);
  add_to(sum, counters);
  next = 1;
  for (const auto& slot : Slots<std::uint64_t>::all()) {
    INFO(metrics::row(slot.metric).name << " " << slot.label);
    CHECK(sum.*slot.cell == 2 * next++);
  }
}

}  // namespace

TEST_CASE("a scrape has every metric of the catalogue, even those that never happened", "[metrics][app]") {
  const std::string text = app::collect_metrics(scrape_of_one_node());
  for (const metrics::Row& row : metrics::catalogue()) {
    CHECK_THAT(text, CATCH_CONTAINS(fmt::format("# HELP {} {}\n", row.name, row.help)));
  }
}

TEST_CASE("what workers count is scraped by the rows that name the slots", "[metrics][app]") {
  using Workers = metrics::WorkerSlots<std::uint64_t>;
  using Http = metrics::HttpSlots<std::uint64_t>;
  app::ScrapeInput input = scrape_of_one_node();
  proxy::ProxyCounts& counts = input.clusters.front().proxy;
  fill<Workers>(counts, 1000);
  fill<Http>(counts.http, 2000);
  fill<proxy::NodeCounts>(counts.nodes.at(kNode), 3000);
  const std::string text = app::collect_metrics(input);
  check_lines<Workers>(text, 1000);
  check_lines<Http>(text, 2000);
  check_lines<proxy::NodeCounts>(text, 3000, "n1");
}

TEST_CASE("what the control thread says is scraped by the rows that name the slots", "[metrics][app]") {
  app::ScrapeInput input = scrape_of_one_node();
  double value = 4000.5;
  for (const auto& slot : metrics::ControlValues::all()) input.clusters.front().values.*slot.cell = value++;
  const std::string text = app::collect_metrics(input);
  value = 4000.5;
  for (const auto& slot : metrics::ControlValues::all()) {
    const metrics::Row& row = metrics::row(slot.metric);
    CAPTURE(row.name, slot.label);
    // The view says these at the moment of the scrape.
    const bool is_of_view = slot.cell == &metrics::ControlValues::takeover_candidates ||
                            slot.cell == &metrics::ControlValues::leader_epoch ||
                            slot.cell == &metrics::ControlValues::contested ||
                            slot.cell == &metrics::ControlValues::stalled;
    CHECK((text.find(fmt::format("{}\n", value)) == std::string::npos) == is_of_view);
    ++value;
  }
}

TEST_CASE("what there is once in a process is scraped once, without a cluster", "[metrics][app]") {
  app::ScrapeInput input = scrape_of_one_node();
  input.clusters.push_back(input.clusters.front());
  input.clusters[0].name = "east";
  input.clusters[1].name = "west";
  double value = 5000.5;
  for (const auto& slot : metrics::ProcessValues::all()) input.values.*slot.cell = value++;
  const std::string text = app::collect_metrics(input);
  value = 5000.5;
  for (const auto& slot : metrics::ProcessValues::all()) {
    const std::string name(metrics::row(slot.metric).name);
    CHECK_THAT(text, CATCH_CONTAINS(fmt::format("\n{} {}\n", name, value++)));
    CHECK(text.find(name + "{") == std::string::npos);
  }
}

TEST_CASE("with several clusters each sample says of which it is, and each metric has one head", "[metrics][app]") {
  app::ScrapeInput input = scrape_of_one_node();
  input.clusters.push_back(input.clusters.front());
  input.clusters[0].name = "east";
  input.clusters[1].name = "west";
  input.clusters[0].values.maxconn = 10;
  input.clusters[1].values.maxconn = 20;
  const std::string text = app::collect_metrics(input);
  CHECK_THAT(text, CATCH_CONTAINS("\nbellwether_maxconn{cluster=\"east\"} 10\n"
                                  "bellwether_maxconn{cluster=\"west\"} 20\n"));
  CHECK_THAT(text, CATCH_CONTAINS("\nbellwether_node_up{cluster=\"west\",node=\"n1\"} 0\n"));
  for (const metrics::Row& row : metrics::catalogue()) {
    const std::string head = fmt::format("# HELP {} ", row.name);
    REQUIRE(text.find(head) != std::string::npos);
    CHECK(text.find(head, text.find(head) + 1) == std::string::npos);
  }
}

TEST_CASE("the counts of workers are summed slot by slot", "[metrics][proxy]") {
  proxy::WorkerCounters worker;
  proxy::ProxyCounts proxy_counts;
  check_sum<metrics::WorkerSlots>(worker, proxy_counts);
  proxy::WorkerCounters http_worker;
  proxy::ProxyCounts http_sum;
  std::uint64_t next = 1;
  for (const auto& slot : metrics::HttpSlots<proxy::Counter>::all()) (http_worker.http.*slot.cell).add(next++);
  add_to(http_sum, http_worker);
  next = 1;
  for (const auto& slot : metrics::HttpSlots<std::uint64_t>::all()) CHECK(http_sum.http.*slot.cell == next++);
  proxy::NodeCounters node;
  proxy::NodeCounts node_counts;
  check_sum<metrics::NodeSlots>(node, node_counts);
}

TEST_CASE("each reason for which a session is cut has a slot", "[metrics][proxy]") {
  proxy::WorkerCounters worker;
  for (std::size_t i = 1; i < proxy::kCutCount; ++i) worker.count_cut(static_cast<proxy::Cut>(i));
  proxy::ProxyCounts counts;
  add_to(counts, worker);
  std::uint64_t cut = 0;
  for (const auto& slot : metrics::WorkerSlots<std::uint64_t>::all()) {
    if (slot.metric != metrics::Metric::kSessionsCut) continue;
    CHECK(counts.*slot.cell <= 1);
    cut += counts.*slot.cell;
  }
  CHECK(cut == proxy::kCutCount - 1);
}
