#include "http_front.h"

#include <algorithm>
#include <utility>

#include "bellwether/base/assert.h"
#include "proxy/core/worker_core.h"

namespace bellwether::proxy {
namespace {

// How often those are looked at that wait although there is a leader: for room to dial, or for their turn to try again.
constexpr Duration kReleaseAgain = 10ms;
// A leader's probe is suspect after 100 ms; in all it has then been late for 300 ms (design.md section 3).
constexpr Duration kBlocksAfter = 200ms;
// Connections that wait at each node that may lead next, and how soon there may be others after they were closed.
constexpr int kWarm = 2;
constexpr Duration kWarmAgain = 1s;
constexpr int kMaxSentAwayPerTick = 100;

}  // namespace

HttpFront::HttpFront(WorkerCore& worker, std::shared_ptr<net::TlsContext> node_tls)
    : worker_(worker),
      node_tls_(std::move(node_tls)),
      pool_(worker.loop(), [this](NodeId node, bool is_open) { on_warm(node, is_open); }),
      answers_(worker.loop()),
      release_timer_(worker.loop(), [this] { release(); }),
      pump_timer_(worker.loop(), [this] { pump_postponed(); }) {
  on_nodes();
}

void HttpFront::end_all() {
  table_.for_each([](HttpConnection& connection) { connection.end(ended_by_us(connection.phase())); });
}

template <typename Visit>
void HttpFront::for_each_exchange(Visit visit) {
  table_.for_each([&visit](HttpConnection& connection) {
    if (HttpExchange* const exchange = connection.exchange()) visit(*exchange);
  });
}

void HttpFront::on_nodes() {
  nodes_.keep_if([this](NodeId node, const NodeSide& /*side*/) { return worker_.nodes().has(node); });
  pool_.keep_if([this](NodeId node) { return worker_.nodes().has(node); });
  for (const NodeId node : worker_.nodes().ids()) {
    if (!nodes_.has(node)) nodes_.add(node);
    NodeSide& side = nodes_.at(node);
    const std::vector<std::string> urls = side.urls;
    const std::string server_name = std::exchange(side.server_name, worker_.nodes().options(node).server_name);
    set_urls(node);
    const bool is_changed = side.urls != urls || side.server_name != server_name;
    if (!pool_.add(node) && is_changed) pool_.outdate(node);
  }
}

void HttpFront::on_address(NodeId node) {
  pool_.outdate(node);
  set_urls(node);
}

// What was verified by the old CA, or shown the old certificate, is used no more than it is used already.
void HttpFront::set_node_tls(const std::shared_ptr<net::TlsContext>& tls) {
  node_tls_ = tls;
  for (const NodeId node : nodes_.ids()) {
    if (worker_.nodes().options(node).is_tls) pool_.outdate(node);
  }
}

// An address that it had before may be another node's by now: to be redirected there is no redirect to itself.
void HttpFront::set_urls(NodeId node) {
  NodeSide& side = nodes_.at(node);
  side.urls.clear();
  const std::string& public_url = worker_.nodes().options(node).public_url;
  if (!public_url.empty()) side.urls.push_back(public_url);
  if (const net::Address* address = worker_.nodes().address(node)) {
    side.urls.push_back((worker_.nodes().options(node).is_tls ? "https://" : "http://") + address->to_string());
  }
  side.url_views.assign(side.urls.begin(), side.urls.end());
}

void HttpFront::adopt(Accepted accepted) {
  worker_.counters().sessions_total.add();
  worker_.counters().sessions_now.add();
  table_.add(std::make_unique<HttpConnection>(*this, std::move(accepted)));
}

std::span<const std::string_view> HttpFront::urls(NodeId node) const {
  const NodeSide* const side = nodes_.find(node);
  return side != nullptr ? std::span<const std::string_view>(side->url_views) : std::span<const std::string_view>();
}

bool HttpFront::shares_upstreams() const { return worker_.options().send_proxy == net::ProxyVersion::kNone; }

std::unique_ptr<Upstream> HttpFront::open_upstream(NodeId node, std::string preamble, UpstreamUser* user) {
  const net::Address* address = worker_.nodes().address(node);
  if (address == nullptr || !pool_.has(node)) return nullptr;
  net::ConnectOptions options;
  if (worker_.nodes().options(node).is_tls) options.tls = node_tls_;
  options.server_name = worker_.nodes().options(node).server_name;
  options.source = worker_.options().source;
  options.preamble = std::move(preamble);
  options.timeout = worker_.options().timeout_connect;
  options.tcp = worker_.options().tcp;
  auto upstream = std::make_unique<Upstream>(pool_, node, pool_.generation(node));
  upstream->lend(user);
  upstream->open(worker_.loop(), *address, std::move(options));
  return upstream;
}

void HttpFront::warm_up() {
  if (!worker_.view() || table_.empty() || !shares_upstreams() || worker_.is_shutting_down()) return;
  for (const NodeId node : nodes_.ids()) {
    NodeSide& side = nodes_.at(node);
    const bool was_just_now = side.warmed && worker_.now() - *side.warmed < kWarmAgain;
    if (was_just_now || pool_.is_warm(node) || !may_take_over(node)) continue;
    side.warmed = worker_.now();
    for (int count = 0; count < kWarm; ++count) {
      if (auto opening = open_upstream(node, {}, nullptr)) pool_.warm(std::move(opening));
    }
  }
}

// The last leader is none: its connections are of its time, and are closed.
bool HttpFront::may_take_over(NodeId node) const { return cluster::is_candidate(*worker_.view(), node, last_leader_); }

void HttpFront::on_warm(NodeId node, bool is_open) {
  NodeCounters& counters = worker_.nodes().counters(node);
  (is_open ? counters.connects : counters.connect_failures).add();
  release_soon();
}

bool HttpFront::has_performance_standbys() const {
  const auto& view = worker_.view();
  return view && std::any_of(view->nodes.begin(), view->nodes.end(), [](const cluster::NodeView& node) {
           return node.role == cluster::Role::kPerformanceStandby;
         });
}

bool HttpFront::leader_blocks(NodeId node, TimePoint now) const {
  const auto& view = worker_.view();
  return view && cluster::lead_of(*view, node) == cluster::Lead::kHas && suspect_since_ != kNever &&
         now - suspect_since_ >= kBlocksAfter;
}

void HttpFront::say_stream_ended(NodeId node) const {
  const auto& say = worker_.shared().callbacks.on_stream_ended;
  if (say) say(node, std::string(worker_.nodes().name(node)));
}

void HttpFront::on_fence() {
  for_each_exchange([](HttpExchange& exchange) { exchange.on_fence(); });
}

void HttpFront::on_view() {
  const auto& view = worker_.view();
  if (!view->suspect) suspect_since_ = kNever;
  if (view->suspect && suspect_since_ == kNever) suspect_since_ = worker_.now();
  if (view->leader) last_leader_ = view->leader;
  for (const NodeId node : nodes_.ids()) {
    if (worker_.nodes().standing(node) != Standing::kKeep && !may_take_over(node)) pool_.close_idle(node);
  }
  warm_up();
  for_each_exchange([](HttpExchange& exchange) { exchange.on_view(); });
  release();
}

void HttpFront::on_hung() {
  for_each_exchange([](HttpExchange& exchange) { exchange.end_if_hung(); });
}

void HttpFront::resume() {
  table_.for_each([](HttpConnection& connection) { connection.pump(); });
}

void HttpFront::on_claim() {
  const cluster::Claim& claim = worker_.clearance().claim();
  // Answers that wait are all of the leader and epoch in view: a new view ends the others' wait.
  const auto& view = worker_.view();
  const bool is_of_view = view && cluster::leads_in(*view, claim.node, claim.epoch);
  while (WaitLink* first = is_of_view ? unconfirmed_.first() : nullptr) {
    auto& exchange = static_cast<HttpExchange&>(*first);
    if (exchange.answered_at() > claim.asked) break;
    exchange.on_confirmed();
  }
  release();
}

void HttpFront::release() {
  BW_ASSERT(scratch_uses_ == 0);
  queue_.offer([this](WaitLink& link) {
    const auto target = worker_.target();
    if (!target || !(worker_.dials().has_room() || pool_.has_idle(*target))) return false;
    auto& exchange = static_cast<HttpExchange&>(link);
    if (exchange.may_send() && exchange.is_mount_settled(*target)) exchange.leave_hold(*target);
    return true;
  });
  if (!queue_.empty() && worker_.target() && !release_timer_.is_armed()) release_timer_.arm_in(kReleaseAgain);
}

void HttpFront::give_back(std::unique_ptr<Upstream> upstream) {
  pool_.give_back(std::move(upstream));
  release_soon();
}

void HttpFront::release_soon() {
  if (!queue_.empty()) release_timer_.arm_in(Duration::zero());
}

void HttpFront::pump_later(HttpConnection& connection) {
  BW_ASSERT(!connection.has_ended());
  if (std::exchange(connection.is_postponed, true)) return;
  postponed_.push_back(&connection);
  if (!pump_timer_.is_armed()) pump_timer_.arm_in(Duration::zero());
}

void HttpFront::pump_postponed() {
  for (HttpConnection* connection : std::exchange(postponed_, {})) {
    // One that was retired meanwhile stands until the end of the turn, and does nothing.
    connection->is_postponed = false;
    connection->pump();
  }
}

void HttpFront::retire(HttpConnection& connection) {
  worker_.counters().sessions_now.subtract();
  postponed_.erase(std::remove(postponed_.begin(), postponed_.end(), &connection), postponed_.end());
  if (!table_.has_retired()) worker_.loop().at_turn_end([this] { after_retire(); });
  table_.retire(connection);
  worker_.shared().release_session();
}

void HttpFront::after_retire() {
  table_.bury();
  worker_.check_idle();
}

void HttpFront::tick(TimePoint now) {
  table_.for_each([now](HttpConnection& connection) { connection.on_tick(now); });
  count_waiting(now);
  if (worker_.is_shutting_down()) send_idle_away(now);
  pool_.close_old(now);
  worker_.counters().http.upstream_idle.set(pool_.idle_count());
  release();
}

void HttpFront::count_waiting(TimePoint now) {
  for (NodeSide& side : nodes_) side.waiting = 0;
  table_.for_each([&](HttpConnection& connection) {
    const HttpExchange* const exchange = connection.exchange();
    const auto node = exchange == nullptr ? std::nullopt : exchange->waits_long_for(now);
    if (NodeSide* const side = node ? nodes_.find(*node) : nullptr) ++side->waiting;
  });
  for (const NodeId node : nodes_.ids()) worker_.nodes().counters(node).waiting_long.set(nodes_.at(node).waiting);
}

void HttpFront::send_idle_away(TimePoint now) {
  int sent = 0;
  table_.for_each([&](HttpConnection& connection) {
    if (sent < kMaxSentAwayPerTick && connection.send_away_if_idle(now)) ++sent;
  });
}

void HttpFront::collect_idle(std::vector<wire::IdleConnection>& into) {
  table_.for_each([&into](HttpConnection& connection) { connection.collect_idle(into); });
}

}  // namespace bellwether::proxy
