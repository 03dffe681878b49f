#include "bellwether/config/difference.h"

#include <string>
#include <vector>

#include "bellwether/config/options.h"
#include "catch.hpp"

using namespace bellwether;
using namespace bellwether::config;

TEST_CASE("a difference is told in the words of a file, apart from what only a restart changes", "[config][reload]") {
  Config before;
  before.listen.emplace_back().address = "127.0.0.1:8200";
  Config after = before;
  CHECK(differences(before, after).reloadable.empty());
  CHECK(differences(before, after).others.empty());
  after.inter = 2s;
  after.on_conflict = OnConflict::kHold;
  after.maxconn = 77;
  after.ca_file = "new.pem";
  after.threads = 3;
  after.control = "/run/other.sock";
  after.listen.front().mode = Mode::kHttp;
  const Differences found = differences(before, after);
  CHECK(found.reloadable ==
        std::vector<std::string>{"listen \"127.0.0.1:8200\" (\"tcp\") -> \"127.0.0.1:8200\" (\"http\")",
                                 "maxconn 2000 -> 77", "inter \"1s\" -> \"2s\"", "on_conflict \"keep\" -> \"hold\"",
                                 "ca_file \"\" -> \"new.pem\""});
  CHECK(found.others == std::vector<std::string>{"threads 1 -> 3", "control \"auto\" -> \"/run/other.sock\""});
}

TEST_CASE("what is reloadable is taken over, and nothing else", "[config][reload]") {
  Config from;
  from.inter = 2s;
  from.fall = 7;
  from.cluster_id = "ours";
  from.on_conflict = OnConflict::kHold;
  from.nodes.resize(2);
  from.maxconn = 77;
  from.mode = Mode::kHttp;
  from.threads = 3;
  from.admin = "off";
  Config into;
  take_over_reloadable(from, into);
  CHECK(differences(into, from).reloadable.empty());
  CHECK(into.nodes.size() == 2);
  CHECK(into.maxconn == 77);
  CHECK(into.mode == Mode::kHttp);
  CHECK(into.threads == 1);
  CHECK(into.admin == "127.0.0.1:8209");
}

TEST_CASE("what the process has and what a cluster has are compared and taken over apart", "[config][reload]") {
  Config before;
  before.listen.emplace_back().address = "127.0.0.1:8200";
  Config after = before;
  after.listen.front().mode = Mode::kHttp;
  after.nodes.resize(2);
  after.clusters.resize(1);
  after.inter = 2s;
  after.timeout_idle = 5s;
  after.threads = 3;
  after.log_level = "warn";
  after.admin = "off";
  const Differences of_process = differences(before, after, Part::kProcess);
  CHECK(of_process.reloadable == std::vector<std::string>{"log_level \"info\" -> \"warn\""});
  CHECK(of_process.others == std::vector<std::string>{"admin \"127.0.0.1:8209\" -> \"off\""});
  const Differences of_cluster = differences(before, after, Part::kCluster);
  CHECK(of_cluster.reloadable ==
        std::vector<std::string>{"listen \"127.0.0.1:8200\" (\"tcp\") -> \"127.0.0.1:8200\" (\"http\")",
                                 "inter \"1s\" -> \"2s\"", "timeout_idle \"1h\" -> \"5s\""});
  CHECK(of_cluster.others == std::vector<std::string>{"threads 1 -> 3"});

  Config taken = before;
  take_over_reloadable(after, taken, Part::kProcess);
  CHECK(differences(taken, after, Part::kProcess).reloadable.empty());
  CHECK(differences(taken, after, Part::kCluster).reloadable == of_cluster.reloadable);
  CHECK(taken.nodes.empty());
  take_over_reloadable(after, taken, Part::kCluster);
  CHECK(differences(taken, after).reloadable.empty());
  CHECK(taken.nodes.size() == 2);
  CHECK(taken.clusters.empty());
  CHECK(taken.threads == 1);
}

TEST_CASE("what only a restart changes is a handful", "[config][reload]") {
  std::vector<std::string> only_restart;
  for (const Option& option : options()) {
    if (!option.reloadable) only_restart.emplace_back(option.key);
  }
  CHECK(only_restart == std::vector<std::string>{"threads", "admin", "admin_token_file", "control"});
}

TEST_CASE("what the log, the admin page and the end of the process do is changed by a reload", "[config][reload]") {
  Config before;
  Config after;
  after.log_level = "warn";
  after.log_format = LogFormat::kJson;
  after.admin_hosts = {"proxy.example.com"};
  after.watch = true;
  after.hard_stop_after = 5s;
  after.shutdown_delay = 2s;
  after.tls_reload_interval = 5s;
  const Differences found = differences(before, after);
  CHECK(found.others.empty());
  CHECK(found.reloadable ==
        std::vector<std::string>{"hard_stop_after \"25s\" -> \"5s\"", "shutdown_delay \"0s\" -> \"2s\"",
                                 "tls_reload_interval \"1s\" -> \"5s\"", "admin_hosts [] -> [\"proxy.example.com\"]",
                                 "watch false -> true", "log_level \"info\" -> \"warn\"",
                                 "log_format \"text\" -> \"json\""});
  take_over_reloadable(after, before);
  CHECK(differences(before, after).reloadable.empty());
}
