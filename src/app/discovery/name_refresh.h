#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "app/process/log.h"
#include "bellwether/base/prng.h"
#include "bellwether/cluster/view.h"
#include "bellwether/config/config.h"
#include "bellwether/net/loop.h"
#include "bellwether/net/resolver.h"
#include "name_answers.h"
#include "nodes.h"

namespace bellwether::app {

// Asks for the names of the nodes again and again: when the least TTL of their answers has ended, a moment later by
// chance so that many sidecars do not ask together, and a cache has nothing old any more; each `dns_refresh` at the
// latest, a moment earlier by chance; a second after a node was lost or the lead; while one is down or nobody leads
// after 1, 2, 4, ... seconds, for the next leader may be at an address that is not known yet; and right after an answer
// whose new nodes have to be heard first. Control thread.
class NameRefresh {
 public:
  static constexpr Duration kSoon = 1s;  // the least time between two askings, unless an answer is in doubt
  // A name that has perhaps moved is asked for again so soon, and so often: its new nodes have been heard by then.
  static constexpr Duration kInDoubt = 200ms;
  static constexpr int kAskingsInDoubt = 5;

  struct Sources {
    log::ClusterLog log;
    std::function<const config::Config&()> config;  // nodes, dns_min_ttl and dns_refresh as they are now
    std::function<const std::vector<NodePlan>&()> plans;
    NodeStates states;
    // The name of a node without an address, or of one that is down, leads there now.
    std::function<void(NodeId, const net::Address&)> move;
    // Uses what the names lead to; does nothing if they lead where they did. False: not now, the answers are lost.
    std::function<bool(std::vector<ResolvedName>)> use;
  };
  NameRefresh(net::Loop& loop, net::Resolver& resolver, std::uint64_t seed, Sources sources);
  ~NameRefresh();
  NameRefresh(const NameRefresh&) = delete;
  NameRefresh& operator=(const NameRefresh&) = delete;

  void on_view(const cluster::View& view);
  void on_config();  // `config` has changed
  // Of each name that has been asked for.
  [[nodiscard]] const NameAnswers& answers() const { return answers_; }

 private:
  [[nodiscard]] bool has_names() const;
  [[nodiscard]] Duration interval() const;
  [[nodiscard]] Duration next_pause();
  void ask_within(Duration at_most);
  void ask_at(TimePoint at);
  void ask();
  void on_answers(const std::vector<config::Node>& nodes, ResolvedNames found);
  void tell_of_names();

  net::Loop& loop_;
  net::Resolver& resolver_;
  Prng prng_;
  const Sources sources_;
  NameAnswers answers_;
  net::Timer timer_;
  TimePoint asks_at_ = kNever;  // when timer_ is due
  TimePoint asked_at_ = TimePoint::min();
  std::optional<Duration> ttl_ = Duration::zero();  // of the last answers; at first it is asked for soon
  int askings_in_doubt_ = 0;                        // in a row
  Duration pause_ = kSoon;                          // before the next asking, if all is not well then
  std::set<std::uint32_t> nodes_up_;                // in the latest view, by their numbers
  bool has_leader_ = false;                         // likewise
  bool is_one_down_ = false;                        // likewise
  bool is_asking_ = false;
  bool has_lost_meanwhile_ = false;      // while it was asking
  std::set<std::string> unanswered_;     // names of which the log says so
  std::shared_ptr<NameRefresh*> alive_;  // the resolver may answer when we are gone
};

}  // namespace bellwether::app
