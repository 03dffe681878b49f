#include <set>

#include "bellwether/metrics/catalogue.h"
#include "catch.hpp"

using namespace bellwether::metrics;

TEST_CASE("the catalogue has one row for each metric, in the order of the enum", "[metrics]") {
  REQUIRE(catalogue().size() == static_cast<std::size_t>(Metric::kLoopLateness) + 1);
  for (std::size_t i = 0; i < catalogue().size(); ++i) {
    CHECK(static_cast<std::size_t>(catalogue()[i].metric) == i);
  }
}

TEST_CASE("every metric is named and described as Prometheus asks", "[metrics]") {
  std::set<std::string_view> names;
  for (const Row& each : catalogue()) {
    INFO(each.name);
    CHECK(names.insert(each.name).second);
    CHECK(each.name.substr(0, 11) == "bellwether_");
    const bool is_total = each.name.size() > 6 && each.name.substr(each.name.size() - 6) == "_total";
    CHECK(is_total == (each.kind == Kind::kCounter));
    CHECK_FALSE(each.help.empty());
    CHECK(each.help.find_first_of("\n\\|") == std::string_view::npos);
  }
}

TEST_CASE("a scrape renders families in the catalogue's order, whatever the order of adding", "[metrics]") {
  Scrape scrape;
  scrape.add(Metric::kHeldTotal, Sample{{}, 7});
  scrape.add(Metric::kNodeUp, Sample{{"n1"}, 1});
  scrape.add(Metric::kNodeUp, Sample{{"n2"}, 0});
  CHECK(scrape.render() ==
        "# HELP bellwether_node_up 1 if the node answers at all, whatever its role.\n"
        "# TYPE bellwether_node_up gauge\n"
        "bellwether_node_up{node=\"n1\"} 1\n"
        "bellwether_node_up{node=\"n2\"} 0\n"
        "# HELP bellwether_held_total Requests and connections that have waited for a leader.\n"
        "# TYPE bellwether_held_total counter\n"
        "bellwether_held_total 7\n");
}

TEST_CASE("label values are escaped, and bytes that are not ASCII cannot break a scrape", "[metrics]") {
  Scrape scrape;
  scrape.add(Metric::kNodeUp, Sample{{"a\"b\\c\nd\xff"}, 1});
  CHECK_THAT(scrape.render(), CATCH_CONTAINS(R"(bellwether_node_up{node="a\"b\\c\nd?"} 1)"));
}

TEST_CASE("a histogram's buckets are cumulative and end with +Inf", "[metrics]") {
  Scrape scrape;
  scrape.add(Metric::kHoldDuration, HistogramSample{{}, {0.5, 1}, {1, 2, 3}, 9.5});
  const std::string text = scrape.render();
  CHECK_THAT(text, CATCH_CONTAINS("bellwether_hold_duration_seconds_count 6\n"));
  CHECK_THAT(text, CATCH_CONTAINS("bellwether_hold_duration_seconds_sum 9.5\n"));
  CHECK_THAT(text, CATCH_CONTAINS("bellwether_hold_duration_seconds_bucket{le=\"0.5\"} 1\n"));
  CHECK_THAT(text, CATCH_CONTAINS("bellwether_hold_duration_seconds_bucket{le=\"1\"} 3\n"));
  CHECK_THAT(text, CATCH_CONTAINS("bellwether_hold_duration_seconds_bucket{le=\"+Inf\"} 6\n"));
}

TEST_CASE("the reference table has a row for each metric", "[metrics]") {
  const std::string table = catalogue_markdown();
  CHECK_THAT(table, CATCH_CONTAINS("| `bellwether_node_role` | gauge | `node`, `role` | 1 for the role"));
}
