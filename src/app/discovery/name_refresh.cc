#include "name_refresh.h"

#include <algorithm>
#include <utility>

#include "app/process/log.h"

namespace bellwether::app {
namespace {

constexpr Duration kPatience = 10s;    // nobody waits for it
constexpr Duration kAfterTtl = 250ms;  // on average; TTLs are whole seconds, and caches end theirs by them
constexpr double kJitter = 0.05;       // an interval is a promise of "at the latest": its middle is that much shorter

bool have_same_names(const std::vector<config::Node>& a, const std::vector<config::Node>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const config::Node& x, const config::Node& y) { return x.host == y.host && x.port == y.port; });
}

}  // namespace

NameRefresh::NameRefresh(net::Loop& loop, net::Resolver& resolver, std::uint64_t seed, Sources sources)
    : loop_(loop),
      resolver_(resolver),
      prng_(seed),
      sources_(std::move(sources)),
      timer_(loop, [this] { ask(); }),
      alive_(std::make_shared<NameRefresh*>(this)) {
  on_config();
}

NameRefresh::~NameRefresh() = default;

bool NameRefresh::has_names() const {
  const std::vector<config::Node>& nodes = sources_.config().nodes;
  return sources_.config().dns_refresh > Duration::zero() && std::any_of(nodes.begin(), nodes.end(), has_name);
}

void NameRefresh::on_config() {
  ttl_ = Duration::zero();
  if (has_names()) return ask_within(next_pause());
  timer_.cancel();
  asks_at_ = kNever;
  answers_.forget();
  unanswered_.clear();
}

void NameRefresh::on_view(const cluster::View& view) {
  std::set<std::uint32_t> up;
  bool has_lost_one = false;
  is_one_down_ = false;
  for (const NodeId id : view.nodes.ids()) {
    const cluster::NodeView& node = view.nodes.at(id);
    if (node.same_as) continue;  // another name of a node, and not asked
    if (node.up) up.insert(id.number);
    is_one_down_ = is_one_down_ || !node.up;
    has_lost_one = has_lost_one || (!node.up && nodes_up_.contains(id.number));
  }
  nodes_up_ = std::move(up);
  const bool has_lost_leader = std::exchange(has_leader_, view.leader.has_value()) && !has_leader_;
  if (!has_lost_one && !has_lost_leader) return;
  pause_ = kSoon;
  has_lost_meanwhile_ = is_asking_;
  ask_within(Duration::zero());
}

Duration NameRefresh::interval() const {
  const config::Config& config = sources_.config();
  if (!ttl_) return config.dns_refresh;
  return std::min(std::max(*ttl_, config.dns_min_ttl), config.dns_refresh);
}

Duration NameRefresh::next_pause() {
  const Duration every = interval();
  const bool is_all_well = has_leader_ && !is_one_down_;
  if (is_all_well) pause_ = kSoon;
  return is_all_well ? every : std::min(every, std::exchange(pause_, std::min(every, pause_ * 2)));
}

// Never sooner than kSoon after the last time.
void NameRefresh::ask_within(Duration at_most) {
  const bool is_ttl = ttl_ && at_most == interval() && at_most < sources_.config().dns_refresh;
  TimePoint at =
      loop_.now() + (is_ttl ? at_most + prng_.jitter(kAfterTtl, 1.0) : prng_.jitter(at_most - at_most / 20, kJitter));
  if (asked_at_ != TimePoint::min()) at = std::max(at, asked_at_ + kSoon);
  ask_at(at);
}

void NameRefresh::ask_at(TimePoint at) {
  if (is_asking_ || !has_names()) return;
  if (timer_.is_armed() && asks_at_ <= at) return;
  asks_at_ = at;
  timer_.arm_at(at);
}

void NameRefresh::ask() {
  if (!has_names()) return;
  is_asking_ = true;
  asked_at_ = loop_.now();
  const std::vector<config::Node>& nodes = sources_.config().nodes;
  resolve_all_later(loop_, resolver_, nodes, kPatience, [weak = std::weak_ptr(alive_), nodes](ResolvedNames found) {
    if (const auto self = weak.lock()) (*self)->on_answers(nodes, std::move(found));
  });
}

void NameRefresh::on_answers(const std::vector<config::Node>& nodes, ResolvedNames found) {
  is_asking_ = false;
  if (!have_same_names(nodes, sources_.config().nodes)) return on_config();  // a reload has asked for the others
  ttl_ = found.ttl;
  NameAnswers::Settled settled =
      answers_.settle(nodes, sources_.plans(), std::move(found.names), sources_.states, loop_.now(), interval());
  tell_of_names();
  // Where it is not now, the nodes are about to be others.
  if (!sources_.use(std::move(settled.found))) return ask_within(kSoon);
  for (const auto& [node, address] : settled.moved) sources_.move(node, address);
  askings_in_doubt_ = settled.is_in_doubt ? askings_in_doubt_ + 1 : 0;
  if (askings_in_doubt_ > 0 && askings_in_doubt_ <= kAskingsInDoubt) return ask_at(loop_.now() + kInDoubt);
  ask_within(std::exchange(has_lost_meanwhile_, false) ? kSoon : next_pause());
}

void NameRefresh::tell_of_names() {
  std::set<std::string> unanswered;
  for (const NameAnswers::Report& name : answers_.reports()) {
    const bool is_told = unanswered_.contains(name.host);
    if (name.problem.empty()) {
      if (is_told) sources_.log.info("name_answered", {{"host", name.host}});
      continue;
    }
    unanswered.insert(name.host);
    if (!is_told) sources_.log.warn("name_unanswered", {{"host", name.host}, {"why", name.problem}});
  }
  unanswered_ = std::move(unanswered);
}

}  // namespace bellwether::app
