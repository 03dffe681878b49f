#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bellwether/base/ids.h"
#include "bellwether/base/time.h"
#include "bellwether/config/config.h"
#include "nodes.h"

namespace bellwether::app {

// What is known of the nodes of now, beside their plans.
struct NodeStates {
  std::function<bool(NodeId)> is_down;
  std::function<bool(NodeId)> is_held;            // an operator has taken it out of service, and wants to find it again
  std::function<std::string(NodeId)> cluster_id;  // that it states; empty: it is not up, or states none
  std::function<bool(NodeId)> says_it_leads;      // it is up
  std::function<bool(NodeId)> is_leader;          // we follow it
  std::function<bool()> is_cluster_given;         // by the configuration: another one is no reason to go there
};

// Which addresses the names of the nodes stand for, while the resolver is asked for them again and again. What a name
// is seen to lead to counts at once; that an address has left its name counts when that is sure, for servers of names
// give a part of the addresses at a time, and a node that serves is not to be drained for that. Decides only: the
// service asks and applies. Control thread.
class NameAnswers {
 public:
  // An answer that has nothing in common with what the name stood for makes nodes of its addresses beside those. It
  // moves the name once they state another cluster_id than those do, or one of them says that it leads; or when it is
  // given that often in a row, over one interval at the least: a cache repeats itself. Nodes of the same cluster that
  // do not lead are further nodes.
  static constexpr int kAnswersToMove = 2;
  // An address has left its name when it is missing from so many answers in a row, over as many intervals, or from one
  // while its node is down.
  static constexpr int kAnswersToLeave = 15;

  struct Settled {
    std::vector<ResolvedName> found;  // for each node of the configuration, what is to be used
    // Nodes that have no address or are down, and the one address that their name leads to now. It is the same node, so
    // `found` has nothing of these.
    std::vector<std::pair<NodeId, net::Address>> moved;
    bool is_in_doubt = false;  // of a name that has perhaps moved: what its new nodes say decides
  };
  // `nodes`, each with the answer about its name in `answers`; `present`: the nodes of now. A name without an answer
  // has none in `found` either: keep_known_addresses() has the last word on it. `every`: how often names are asked for.
  [[nodiscard]] Settled settle(const std::vector<config::Node>& nodes, const std::vector<NodePlan>& present,
                               std::vector<ResolvedName> answers, const NodeStates& states, TimePoint now,
                               Duration every);

  // Of each name of the latest settle().
  struct Report {
    std::string host;                   // with its port
    std::optional<TimePoint> answered;  // last
    std::string problem;                // why there was no answer the last time; empty: there was one
  };
  [[nodiscard]] std::vector<Report> reports() const;
  // Of all names.
  [[nodiscard]] std::uint64_t answers() const { return answers_; }
  [[nodiscard]] std::uint64_t failures() const { return failures_; }
  void forget() { names_.clear(); }  // nobody asks any more

  using Addresses = std::vector<net::Address>;
  // See keep_missing_addresses().
  [[nodiscard]] static Addresses keep_missing(const config::Node& node, const std::vector<NodePlan>& present,
                                              const Addresses& answer, const NodeStates& states);

 private:
  struct Missing {
    int answers = 0;
    TimePoint since{};
  };
  struct Name {
    Report report;
    std::map<std::string, Missing> missing;  // addresses in use that answers in a row lack, by their texts
    Addresses elsewhere;                     // what the answers in a row were that had nothing in common with it
    int answers_elsewhere = 0;
    TimePoint elsewhere_since{};
    Addresses left;  // what it stood for before: who comes back takes turns
    // What it stood for before its nodes were another cluster's. It is not followed there by what nodes say: of name
    // servers that do not agree, each answer would move it.
    Addresses former;
    int answers_while_down = 0;  // in a row, while all its nodes were down

    void forget_elsewhere() {
      elsewhere.clear();
      answers_elsewhere = 0;
    }
  };
  struct Look;
  // How many answers while nobody is there make nodes of both families of addresses.
  static constexpr int kAnswersToTryBoth = 2;

  void settle_one(Name& name, const Look& look, ResolvedName answer, Settled& settled);
  [[nodiscard]] static Addresses settle_answer(Name& name, const Look& look, Addresses answer, bool& is_in_doubt);
  [[nodiscard]] static bool has_moved(Name& name, const Look& look, const Addresses& answer);

  std::map<std::pair<std::string, std::uint16_t>, Name> names_;
  std::uint64_t answers_ = 0;
  std::uint64_t failures_ = 0;
};

// For a configuration that is read again: what its names lead to, in the families that are in use, and what they led to
// before and is missing now though its node answers. An answer that has nothing in common with what was known is
// believed: the operator has asked.
[[nodiscard]] std::vector<ResolvedName> keep_missing_addresses(const std::vector<config::Node>& nodes,
                                                               const std::vector<NodePlan>& present,
                                                               std::vector<ResolvedName> answers,
                                                               const NodeStates& states);

}  // namespace bellwether::app
