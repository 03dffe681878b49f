#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "app/doctor/diagnosis.h"
#include "app/doctor/examination.h"
#include "app/process/start_error.h"
#include "app/setup/candidates.h"
#include "app/setup/file.h"
#include "bellwether/base/visible.h"
#include "bellwether/config/options.h"
#include "commands.h"
#include "write_text.h"

namespace bellwether::app {
namespace {

using setup::Candidate;

constexpr int kRounds = 4;  // whom the nodes name is asked, and whom those name
constexpr std::string_view kOtherListener = "127.0.0.1:8100";

bool is_vaults(const Examined& node) { return !node.failure && node.facts.role != cluster::Role::kError; }

std::string said_by(const Examined& node) {
  std::string said(to_text(node.facts.role));
  if (!node.facts.version.empty()) said += ", version " + node.facts.version;
  return said;
}

// Finds the nodes of a cluster, beginning with those that people named.
class Search {
 public:
  // `listen`: where the file will listen.
  Search(const config::Sources& sources, std::vector<config::Listen> listen)
      : sources_(sources), listen_(std::move(listen)) {}

  // An error: none of the first nodes can be asked.
  Result<void> go(const config::Config& config) {
    std::vector<Candidate> next;
    for (const config::Node& each : config.nodes) next.push_back({each.url, "", false});
    const std::size_t named = next.size();
    for (int round = 0; round < kRounds && !next.empty(); ++round) {
      if (auto asked = ask(next); !asked) return asked;
      if (round == 0 && std::none_of(nodes_.begin(), nodes_.end(), [](const Node& each) { return each.seen; })) {
        return fail(ErrorKind::kInvalid, named == 1 ? "the node gives no answer that tells of a cluster"
                                                    : "no node gives an answer that tells of a cluster");
      }
      setup::Candidates found = setup::candidates_of(known(), asked_);
      for (const Candidate& each : found.aside) {
        aside_.push_back(fmt::format("{}: {}; if it leads to one node, add it", each.url, each.why));
      }
      next = std::move(found.to_ask);
    }
    return {};
  }

  [[nodiscard]] std::vector<setup::FoundNode> nodes() const {
    std::vector<setup::FoundNode> found;
    for (const Node& each : nodes_) found.push_back({each.url, each.said});
    return found;
  }
  [[nodiscard]] const std::vector<std::string>& aside() const { return aside_; }
  // The nodes state a leader, so there are several, and few were found.
  [[nodiscard]] bool may_lack_nodes() const {
    constexpr std::size_t kUsual = 3;
    return nodes_.size() < kUsual && std::any_of(nodes_.begin(), nodes_.end(), [](const Node& each) {
             return each.seen && each.seen->leader && each.seen->leader->ha_enabled;
           });
  }
  // Whether one of them is where `listen` listens.
  [[nodiscard]] bool is_in_the_way() const { return in_the_way_; }

 private:
  struct Node {
    std::string url;
    std::string said;
    std::optional<Examined> seen;  // none: named by people, and silent
  };

  [[nodiscard]] std::vector<setup::KnownNode> known() const {
    std::vector<setup::KnownNode> all;
    for (const Node& each : nodes_) {
      all.push_back({each.url, "", {}});
      if (!each.seen) continue;
      if (each.seen->leader) all.back().leader_address = each.seen->leader->leader_address;
      all.back().certificate_names = each.seen->certificate_names;
    }
    return all;
  }

  // The nodes that are known are asked again: two names of one server are found so.
  Result<void> ask(const std::vector<Candidate>& candidates) {
    std::vector<std::string> urls;
    for (const Node& each : nodes_) urls.push_back(each.url);
    for (const Candidate& each : candidates) urls.push_back(each.url);
    config::Sources sources = sources_;
    std::erase_if(sources.flags, [](const auto& flag) { return flag.first == "nodes"; });
    sources.flags.emplace_back("nodes", fmt::format("{}", fmt::join(urls, ",")));
    const config::Loaded loaded = config::load(sources);
    if (!loaded.problems.empty()) return fail(ErrorKind::kInvalid, loaded.problems.front().to_string());
    const auto seen = examine_cluster(loaded.config, listen_);
    if (!seen) return tl::unexpected(seen.error());
    const std::set<std::size_t> shared = shared_by_guesses(seen->nodes, candidates);
    for (const Candidate& each : candidates) judge(each, seen->nodes, shared);
    return {};
  }

  static const Candidate* candidate_of(const Examined& node, const std::vector<Candidate>& candidates) {
    const auto found = std::find_if(candidates.begin(), candidates.end(), [&](const Candidate& each) {
      return setup::place_of(each.url) == fmt::format("{}:{}", node.set_up.host, node.set_up.port);
    });
    return found == candidates.end() ? nullptr : &*found;
  }

  // A name server that has an address for every name leads guesses to one place, which is no node.
  static std::set<std::size_t> shared_by_guesses(const std::vector<Examined>& seen,
                                                 const std::vector<Candidate>& candidates) {
    std::set<std::size_t> shared;
    for (const Examined& node : seen) {
      const Candidate* const candidate = candidate_of(node, candidates);
      if (candidate != nullptr && candidate->is_guess && node.same_as) shared.insert(*node.same_as);
    }
    return shared;
  }

  void judge(const Candidate& candidate, const std::vector<Examined>& seen, const std::set<std::size_t>& shared) {
    const bool is_named_by_people = candidate.why.empty();
    const Examined* best = nullptr;
    for (std::size_t i = 0; i < seen.size(); ++i) {
      const Examined& node = seen[i];
      if (candidate_of(node, {candidate}) == nullptr) continue;
      in_the_way_ = in_the_way_ || (node.leads_back && is_vaults(node));
      if (candidate.is_guess && (shared.count(i) != 0 || node.same_as)) return;
      if (best == nullptr || (is_vaults(node) && !is_vaults(*best))) best = &node;
    }
    if (best == nullptr) return;
    if (is_vaults(*best) && !best->same_as && is_of_the_cluster(*best)) {
      const std::string why = is_named_by_people ? "" : fmt::format("; {}", candidate.why);
      nodes_.push_back({candidate.url, said_by(*best) + why, *best});
      if (cluster_id_.empty()) cluster_id_ = best->facts.cluster_id;
    } else if (is_named_by_people && !is_vaults(*best) && !best->same_as) {
      nodes_.push_back({candidate.url, cause_of(*best), std::nullopt});
    } else if (is_named_by_people || !best->same_as) {
      if (candidate.is_guess) return;
      aside_.push_back(fmt::format("{}: {}, but {}", candidate.url, is_named_by_people ? "it was named" : candidate.why,
                                   objection(*best, seen)));
    }
  }

  // A sealed node does not say of which cluster it is.
  [[nodiscard]] bool is_of_the_cluster(const Examined& node) const {
    return cluster_id_.empty() || node.facts.cluster_id.empty() || node.facts.cluster_id == cluster_id_;
  }

  [[nodiscard]] std::string objection(const Examined& node, const std::vector<Examined>& seen) const {
    if (node.same_as) return fmt::format("it leads to the same server as {}", seen[*node.same_as].name);
    if (!is_vaults(node)) return cause_of(node);
    return fmt::format("it is of another cluster ({})", node.facts.cluster_id);
  }

  const config::Sources& sources_;
  const std::vector<config::Listen> listen_;
  std::string cluster_id_;
  std::vector<Node> nodes_;
  std::vector<std::string> aside_;
  std::set<std::string> asked_;
  bool in_the_way_ = false;
};

// The file may be used from another directory.
config::Sources with_whole_paths(config::Sources sources) {
  static const std::set<std::string> kFiles = {"ca_file", "ca_path", "client_cert", "client_key"};
  for (auto& [key, value] : sources.flags) {
    std::error_code error;
    const auto whole = std::filesystem::absolute(value, error);
    if (kFiles.count(key) != 0 && !value.empty() && !error) value = whole.lexically_normal().string();
  }
  return sources;
}

int failed(const std::string& message) {
  fmt::print(stderr, "bellwether init: {}\n", for_people(message));
  return kExitFailed;
}

std::string named_by_people(const config::Config& config) {
  std::vector<std::string> urls;
  for (const config::Node& each : config.nodes) urls.push_back(each.url);
  return fmt::format("{}", fmt::join(urls, " "));
}

// Those of a configuration that says nothing of them.
std::vector<config::Listen> usual_listeners() {
  config::Sources sources;
  sources.flags.emplace_back("nodes", "http://127.0.0.1:1");
  return config::load(sources).config.listen;
}

bool chooses_listener(const config::Sources& sources) {
  const config::Option& listen = *config::find_option("listen");
  return config::value_text(listen, config::load(sources).config) != config::default_text(listen);
}

// The file must be one that `run` takes, whatever nodes said.
int put(const std::string& text, const InitOptions& options) {
  config::Sources check;
  check.file = config::File{options.out.empty() ? "standard output" : options.out, text};
  for (const config::Problem& each : config::load(check).problems) return failed(each.to_string());
  if (options.out.empty()) {
    fmt::print("{}", text);
    return kExitFine;
  }
  if (auto written = write_text(options.out, text, options.force); !written) return failed(written.error().message);
  fmt::print(stderr, "written: {0}; next: bellwether check --live -f {0}, and bellwether run -f {0}\n",
             for_people(options.out));
  return kExitFine;
}

void tell(const Search& search) {
  for (const setup::FoundNode& each : search.nodes()) {
    fmt::print(stderr, "  node {}: {}\n", for_people(each.url), for_people(each.said));
  }
  for (const std::string& each : search.aside()) fmt::print(stderr, "  not taken: {}\n", for_people(each));
  if (search.may_lack_nodes()) {
    fmt::print(stderr, "  a cluster has three nodes or more as a rule: name those that are missing beside the first\n");
  }
}

}  // namespace

int init_command(const config::Sources& given, const InitOptions& options) {
  if (const auto fine = options.out.empty() ? Result<void>() : may_write(options.out, options.force); !fine) {
    return failed(fine.error().message);
  }
  config::Sources sources = with_whole_paths(given);
  const bool is_listener_chosen = chooses_listener(sources);
  // A node may have the usual address.
  if (!is_listener_chosen) sources.flags.emplace_back("listen", kOtherListener);
  config::Loaded loaded = config::load(sources);
  for (const config::Problem& each : loaded.problems) fmt::print(stderr, "{}\n", each.to_string());
  if (!loaded.problems.empty()) return kExitUsage;
  Search search(sources, is_listener_chosen ? loaded.config.listen : usual_listeners());
  const std::string named = named_by_people(loaded.config);
  fmt::print(stderr, "asking {}\n", for_people(named));
  const auto found = search.go(loaded.config);
  tell(search);
  if (!found) return failed(found.error().message);
  if (!is_listener_chosen && search.is_in_the_way()) {
    fmt::print(stderr, "  a node listens where Bellwether would: it gets {} (--listen chooses)\n", kOtherListener);
  } else if (!is_listener_chosen) {
    loaded.config.listen = usual_listeners();
  }
  return put(setup::write_file(loaded.config, search.nodes(), named, search.aside()), options);
}

}  // namespace bellwether::app
