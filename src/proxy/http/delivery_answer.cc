#include <algorithm>
#include <string>
#include <utility>

#include "bellwether/base/assert.h"
#include "bellwether/http/serialize.h"
#include "bellwether/vault/consistency.h"
#include "delivery.h"
#include "http_connection.h"
#include "http_front.h"
#include "proxy/core/worker_core.h"

namespace bellwether::proxy {
namespace {

constexpr std::size_t kMostLookedAt = 32 * 1024;  // of a body that is to be judged, its framing included

// A body, looked at without using it up.
struct Peeked {
  enum class Kind : std::uint8_t { kWhole, kPartial, kTooLong, kBroken };
  Kind kind = Kind::kPartial;
  std::string content;
};

Peeked peek_body(http::BodyFraming framing, std::string_view bytes, bool has_ended) {
  http::BodyReader reader(framing);
  Peeked peeked;
  const bool is_long = bytes.size() > kMostLookedAt;
  while (!reader.done()) {
    const http::BodyReader::Bite bite = reader.feed(bytes);
    if (bite.status == http::ParseStatus::kRejected) return {Peeked::Kind::kBroken, {}};
    peeked.content += bite.content;
    if (peeked.content.size() > vault::kJudgedBodyBytes) return {Peeked::Kind::kTooLong, {}};
    bytes.remove_prefix(bite.consumed);
    if (bite.consumed == 0) break;
  }
  const bool is_whole = reader.done() || (has_ended && reader.complete_at_end());
  if (is_whole) {
    peeked.kind = Peeked::Kind::kWhole;
  } else if (is_long) {
    peeked.kind = Peeked::Kind::kTooLong;
  }
  return peeked;
}

// What an answer to sys/init tells. A node that is initialized already, or was asked wrongly, says 400.
InitGuard::Outcome init_outcome(int status) {
  if (status >= 200 && status < 300) return InitGuard::Outcome::kDone;
  return status >= 400 && status < 500 ? InitGuard::Outcome::kNotDone : InitGuard::Outcome::kUnknown;
}

bool has_performance_standbys(const cluster::View* view) {
  return view != nullptr && std::any_of(view->nodes.begin(), view->nodes.end(), [](const cluster::NodeView& node) {
           return node.role == cluster::Role::kPerformanceStandby;
         });
}

// A node that lost the lead a moment ago may be behind the index that the request states: the request goes to whoever
// leads. A node that claims to lead and says it again to the same request is believed, for the index may be another
// cluster's and never come.
bool is_behind_index(const Exchange& exchange, const http::ResponseHead& head) {
  const Request& request = exchange.request;
  if (!vault::says_index_not_reached(head, request.states_index) || !exchange.to_node.can_rewind()) return false;
  const bool is_said_again = request.row == vault::Row::kIndexNotReached &&
                             exchange.proof.node == exchange.attempt.node &&
                             exchange.proof.epoch == exchange.attempt.epoch;
  return !is_said_again;
}

// A node that answers what only the leader can is alive; what any node answers for itself says nothing of its state.
void note_alive(NodeCounters& counters, const Attempt& attempt) {
  if (attempt.all_sent_at == kNever) return;
  const auto ns = [](TimePoint at) { return static_cast<std::uint64_t>(at.time_since_epoch().count()); };
  counters.answered_request_ns.set(std::max(counters.answered_request_ns.get(), ns(attempt.all_sent_at)));
  counters.last_answer_ns.set(ns(attempt.heard));
}

// Why we answer as for an ambiguous row. `standing`: of the node that was asked.
EndReason reason_of(vault::Row row, Standing standing) {
  if (row == vault::Row::kNoAnswer) {
    return standing != Standing::kKeep ? node_lost(Phase::kHeaders) : node_timed_out(Phase::kHeaders);
  }
  const bool was_cut = row == vault::Row::kCut || row == vault::Row::kCutInAnswer;
  return was_cut ? ended_by_node(Phase::kHeaders) : refused_by_us(Phase::kHeaders);
}

}  // namespace

bool Delivery::take_answer() {
  Attempt& attempt = exchange_.attempt;
  if (claim_wait_.is_under_way()) return false;
  const bool has_ended = attempt.ended != NodeEnd::kNone;
  if (exchange_.from_node.empty() && !has_ended) return false;
  if (attempt.sent == 0) {
    // What comes on a connection without an outstanding request is no answer to one (RFC 9112 section 9.2).
    attempt_failed(vault::Failure::kEnded);
    return true;
  }
  const http::HeadLimits& limits = front_.worker().options().head_limits;
  if (!has_ended && !attempt.answer_search.is_worth_parsing(exchange_.from_node.view(), limits)) return false;
  const HttpFront::ScratchUse use(front_);
  http::ResponseHead& head = front_.response_scratch();
  const auto parsed = http::parse_response_head(exchange_.from_node.view(), exchange_.request.method, limits, head);
  if (parsed.status == http::ParseStatus::kRejected) {
    attempt_failed(vault::Failure::kBadAnswer);
    return true;
  }
  if (parsed.status == http::ParseStatus::kNeedMore) {
    attempt.answer_search.need_more(exchange_.from_node.view());
    if (has_ended) attempt_failed(vault::Failure::kEnded);
    return has_ended;
  }
  attempt.answer_search.restart();
  if (head.status < 200) return take_interim(head);
  if (exchange_.request.is_for_leader) note_alive(front_.worker().nodes().counters(attempt.node), attempt);
  return judge_final(head);
}

// False: there is no room for it yet.
bool Delivery::take_interim(const http::ResponseHead& head) {
  Request& request = exchange_.request;
  if (head.status == 101) {
    const bool is_granted = request.is_websocket && http::grants_upgrade(head, "websocket");
    is_granted ? user_.start_tunnel(head) : attempt_failed(vault::Failure::kBadAnswer);
    return true;
  }
  if (exchange_.to_client.size() >= kAhead) return false;
  if (++exchange_.attempt.interim > http::kMaxInterim) {
    attempt_failed(vault::Failure::kBadAnswer);
    return true;
  }
  if (head.status == 100) request.was_continued = true;
  if (request.version == http::Version::kHttp11) {
    http::append_response_head(exchange_.to_client.room(), head, {request.version, true});
  }
  exchange_.from_node.consume(head.bytes);
  return true;
}

// False: more of it is needed.
bool Delivery::judge_final(const http::ResponseHead& head) {
  const Attempt& attempt = exchange_.attempt;
  const Request& request = exchange_.request;
  if (!request.is_for_leader) {
    // It may lead soon, or the next share of a key is for another node.
    const bool has_changed_node = request.request_class == vault::RequestClass::kBootstrap;
    if (has_changed_node) front_.worker().hint(attempt.node, attempt.epoch, cluster::HintKind::kSealed);
    destination_.end_init(init_outcome(head.status));
    act(vault::Row::kAnswered, &head, {});
    return true;
  }
  Peeked peeked;
  if (vault::needs_body(head.status)) {
    const std::string_view body = exchange_.from_node.view().substr(head.bytes);
    peeked = peek_body(head.body, body, attempt.ended == NodeEnd::kOrderly);
    const bool is_cut = peeked.kind == Peeked::Kind::kPartial && attempt.ended != NodeEnd::kNone;
    if (peeked.kind == Peeked::Kind::kPartial && !is_cut) return false;
    if (is_cut || peeked.kind == Peeked::Kind::kBroken) {
      attempt_failed(is_cut ? vault::Failure::kEnded : vault::Failure::kBadAnswer);
      return true;
    }
  }
  vault::Attempt judged;
  judged.path = request.path;
  const bool may_be_refusal = head.status == 307 || vault::needs_body(head.status);
  if (may_be_refusal) judged.effect = exchange_.mount_check.effect(sent_);
  judged.conduct = attempt.conduct;
  judged.forbade_forwarding = true;
  judged.has_performance_standbys = has_performance_standbys(front_.worker().view().get());
  judged.role = attempt.role;
  judged.node_urls = front_.node_connections().urls(attempt.node);
  const vault::Answer told{head.status, head.header("Location"), peeked.content, is_behind_index(exchange_, head)};
  act(vault::judge(judged, told), &head, peeked.content);
  return true;
}

// `head`: of the answer that the row was judged by, if there was one.
void Delivery::act(vault::Row row, const http::ResponseHead* head, std::string_view body) {
  if (exchange_.answer.has_begun) return user_.cut_answer(ended_by_node(exchange_.phase()));
  const Attempt& attempt = exchange_.attempt;
  exchange_.request.row = row;
  front_.worker().counters().http.rows[static_cast<std::size_t>(row)].add();
  if (const auto hint = vault::hint_of(row); hint && row != vault::Row::kNotConnected) {
    front_.worker().hint(attempt.node, attempt.epoch, *hint);
  }
  switch (vault::verdict_of(row)) {
    case vault::Verdict::kPassOn: {
      const bool is_fresh = front_.worker().listeners().options(connection_->listener()).fresh;
      if (!claim_wait_.is_needed(*head, is_fresh)) return user_.start_answer(*head);
      note_answered();
      if (!claim_wait_.begin(front_.unconfirmed())) end_unconfirmed();
      return;
    }
    case vault::Verdict::kProof:
    case vault::Verdict::kAgainHere:
      return send_again(row);
    case vault::Verdict::kAskMount:
      if (!exchange_.to_node.can_rewind()) return answer_maybe_acted();
      exchange_.mount_check.begin();
      return send_again(row);
    case vault::Verdict::kAmbiguous: {
      const EndReason reason = reason_of(row, front_.worker().nodes().standing(attempt.node));
      drop_upstream();
      return user_.answer_ambiguous(row, body, reason);
    }
  }
}

void Delivery::note_answered() {
  front_.answers().remove(*this);
  exchange_.attempt.let_others_knock();
  if (!std::exchange(exchange_.attempt.is_fresh, false)) return;
  front_.worker().make_room_to_dial();
  front_.release_soon();
}

void Delivery::on_confirmed() {
  BW_ASSERT(claim_wait_.is_under_way());
  claim_wait_.end(front_.unconfirmed());
  http::ResponseHead& head = front_.response_scratch();
  const auto parsed = http::parse_response_head(exchange_.from_node.view(), exchange_.request.method,
                                                front_.worker().options().head_limits, head);
  BW_ASSERT(parsed.status == http::ParseStatus::kDone);
  user_.start_answer(head);
  (void)user_.pump();
}

void Delivery::end_unconfirmed() {
  drop_upstream();
  act(vault::Row::kUnconfirmed, nullptr, {});
}

void Delivery::on_attempt_tick(TimePoint now) {
  const ProxySettings& options = front_.worker().options();
  const Attempt& attempt = exchange_.attempt;
  if (claim_wait_.is_under_way()) {
    if (now - claim_wait_.since() >= options.grace) end_unconfirmed();
    return;
  }
  const bool is_asked = attempt.all_sent_at != kNever;
  const bool is_stream = exchange_.request.request_class == vault::RequestClass::kStream;
  const bool is_silent_stream = is_stream && is_asked && now - attempt.all_sent_at >= kSilentStream;
  if (is_silent_stream && front_.leader_blocks(attempt.node, now)) {
    front_.say_stream_ended(attempt.node);
    return attempt_failed(vault::Failure::kTimedOut);
  }
  const KnownNodes& nodes = front_.worker().nodes();
  const bool is_replaced = exchange_.request.is_for_leader && nodes.standing(attempt.node) != Standing::kKeep &&
                           cluster::lead_of(*front_.worker().view(), attempt.node) == cluster::Lead::kTaken;
  const TimePoint silent_since = std::max({attempt.active, attempt.began, nodes.standing_since(attempt.node)});
  const bool is_past_grace = is_replaced && now - silent_since >= options.grace;
  const bool is_late =
      is_asked && !is_stream && now - attempt.all_sent_at >= front_.settings_of(*connection_).timeout_answer;
  if (is_past_grace || is_late) attempt_failed(vault::Failure::kTimedOut);
}

}  // namespace bellwether::proxy
