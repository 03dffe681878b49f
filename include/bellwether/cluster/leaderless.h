#pragma once

#include <string>
#include <vector>

#include "bellwether/cluster/view.h"

namespace bellwether::cluster {

// How many nodes are in which state. A second name of a server (NodeView::same_as) is not counted.
struct NodeCensus {
  int total = 0;
  int unheard = 0;  // no probe has ended yet
  int members = 0;  // unsealed nodes of our cluster that answer: they can vote, or lead
  int sealed = 0;
  int uninitialized = 0;
  int foreign = 0;
  int errors = 0;          // answer, but not as Vault does
  int out_of_service = 0;  // claim to lead, but the operator has set them to drain or maint
  int others = 0;          // DR secondaries, removed and disconnected nodes

  void add(const NodeView& node);
  [[nodiscard]] int majority() const { return total / 2 + 1; }
  [[nodiscard]] int answering() const { return members + sealed + uninitialized + foreign + others; }
};
[[nodiscard]] NodeCensus census_of(const View& view);

// Why no node leads, in a clause for people: "1 of 3 nodes answers: no quorum".
[[nodiscard]] std::string headline_of(const NodeCensus& census);

// The whole explanation, for the log, /status, /readyz and the page.
struct Leaderless {
  std::string headline;             // as headline_of()
  std::string way_out;              // what to do; empty: only the causes tell
  std::vector<std::string> causes;  // "n1, n2: connection refused; is Vault running there?"
};
[[nodiscard]] Leaderless explain_leaderless(const View& view);
// "headline; way out"
[[nodiscard]] std::string summary_of(const Leaderless& leaderless);

// What is wrong with one node, with the way out; empty: nothing.
[[nodiscard]] std::string trouble_of(const NodeView& node);

}  // namespace bellwether::cluster
