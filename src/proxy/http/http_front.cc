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
constexpr int kMaxSentAwayPerTick = 100;

}  // namespace

HttpFront::HttpFront(WorkerCore& worker, std::shared_ptr<net::TlsContext> node_tls, Responder& responder)
    : worker_(worker),
      node_connections_(worker, std::move(node_tls), [this] { release_soon(); }),
      responder_(responder),
      answers_(worker.loop()),
      mounts_([this] { release_soon(); }),
      release_timer_(worker.loop(), [this] { release(); }),
      pump_timer_(worker.loop(), [this] { pump_postponed(); }) {}

void HttpFront::end_all() {
  table_.for_each([](HttpConnection& connection) { connection.end(ended_by_us(connection.phase())); });
}

template <typename Visit>
void HttpFront::for_each_exchange(Visit visit) {
  table_.for_each([&visit](HttpConnection& connection) {
    if (HttpExchange* const exchange = connection.exchange()) visit(*exchange);
  });
}

void HttpFront::adopt(Accepted accepted, AnsweredBy answered_by) {
  worker_.counters().sessions_total.add();
  worker_.counters().sessions_now.add();
  if (answered_by == AnsweredBy::kNodes) ++for_nodes_;
  table_.add(std::make_unique<HttpConnection>(*this, std::move(accepted), answered_by));
}

void HttpFront::warm_up() {
  if (for_nodes_ > 0) node_connections_.warm_up();
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
  for_each_exchange([](HttpExchange& exchange) { exchange.delivery().on_fence(); });
}

void HttpFront::on_view() {
  const auto& view = worker_.view();
  if (!view->suspect) suspect_since_ = kNever;
  if (view->suspect && suspect_since_ == kNever) suspect_since_ = worker_.now();
  node_connections_.on_view();
  warm_up();
  for_each_exchange([](HttpExchange& exchange) { exchange.delivery().on_view(); });
  release();
}

void HttpFront::on_hung() {
  for_each_exchange([](HttpExchange& exchange) { exchange.delivery().end_if_hung(); });
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
    auto& wait = static_cast<ClaimWait&>(*first);
    if (wait.since() > claim.asked) break;
    wait.delivery().on_confirmed();
  }
  release();
}

void HttpFront::release() {
  BW_ASSERT(scratch_uses_ == 0);
  responder_queue_.offer([this](WaitLink& link) {
    const auto target = worker_.target();
    if (target) static_cast<Delivery&>(link).leave_hold(*target);
    return target.has_value();
  });
  queue_.offer([this](WaitLink& link) {
    const auto target = worker_.target();
    if (!target || !(worker_.dials().has_room() || node_connections_.has_idle(*target))) return false;
    auto& delivery = static_cast<Delivery&>(link);
    if (delivery.may_send() && delivery.is_mount_settled(*target)) delivery.leave_hold(*target);
    return true;
  });
  if (!queue_.empty() && worker_.target() && !release_timer_.is_armed()) release_timer_.arm_in(kReleaseAgain);
}

void HttpFront::release_soon() {
  if (has_waiting()) release_timer_.arm_in(Duration::zero());
}

void HttpFront::pump_later(HttpConnection& connection) {
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
  if (connection.answered_by() == AnsweredBy::kNodes) --for_nodes_;
  postponed_.erase(std::remove(postponed_.begin(), postponed_.end(), &connection), postponed_.end());
  if (!table_.has_retired()) worker_.loop().at_turn_end([this] { after_retire(); });
  table_.retire(connection);
  worker_.release_session(connection.listener());
}

void HttpFront::after_retire() {
  table_.bury();
  worker_.check_idle();
}

void HttpFront::tick(TimePoint now) {
  table_.for_each([now](HttpConnection& connection) { connection.on_tick(now); });
  count_waiting(now);
  if (worker_.is_shutting_down()) send_idle_away(now);
  node_connections_.close_old(now);
  worker_.counters().http.upstream_idle.set(node_connections_.idle_count());
  release();
}

void HttpFront::count_waiting(TimePoint now) {
  waiting_.keep_if([](NodeId /*node*/, std::uint64_t /*count*/) { return false; });
  for (const NodeId node : worker_.nodes().ids()) waiting_.add(node);
  table_.for_each([&](HttpConnection& connection) {
    const HttpExchange* const exchange = connection.exchange();
    const auto node = exchange == nullptr ? std::nullopt : exchange->state().waits_for_node(now, kWaitingLong);
    if (std::uint64_t* const count = node ? waiting_.find(*node) : nullptr) ++*count;
  });
  for (const NodeId node : waiting_.ids()) worker_.nodes().counters(node).waiting_long.set(waiting_.at(node));
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
