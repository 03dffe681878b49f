#include <fmt/format.h>

#include <utility>

#include "bellwether/http/chunk_writer.h"
#include "bellwether/http/serialize.h"
#include "bellwether/vault/consistency.h"
#include "failure_text.h"
#include "http_front.h"
#include "http_session.h"
#include "worker.h"

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

}  // namespace

bool HttpSession::take_answer() {
  if (exchange_->answer.has_begun) return relay_body();
  if (is_unconfirmed()) return false;
  const bool has_ended = exchange_->attempt.ended != NodeEnd::kNone;
  if (exchange_->from_node.empty() && !has_ended) return false;
  if (exchange_->attempt.sent == 0) {
    // What comes on a connection without an outstanding request is no answer to one (RFC 9112 section 9.2).
    attempt_failed(vault::Failure::kEnded);
    return true;
  }
  const http::HeadLimits& limits = front_.worker().options().head_limits;
  if (!has_ended && !exchange_->attempt.answer_search.is_worth_parsing(exchange_->from_node.view(), limits))
    return false;
  const HttpFront::ScratchUse use(front_);
  http::ResponseHead& head = front_.response_scratch();
  const http::ParseOutcome parsed =
      http::parse_response_head(exchange_->from_node.view(), exchange_->request.method, limits, head);
  if (parsed.status == http::ParseStatus::kRejected) {
    attempt_failed(vault::Failure::kBadAnswer);
    return true;
  }
  if (parsed.status == http::ParseStatus::kNeedMore) {
    exchange_->attempt.answer_search.need_more(exchange_->from_node.view());
    if (has_ended) attempt_failed(vault::Failure::kEnded);
    return has_ended;
  }
  exchange_->attempt.answer_search.restart();
  if (head.status == 101) {
    if (exchange_->request.is_websocket && http::grants_upgrade(head, "websocket")) {
      start_tunnel(head);
    } else {
      attempt_failed(vault::Failure::kBadAnswer);
    }
    return true;
  }
  if (head.status < 200) {
    if (exchange_->to_client.size() >= kAhead) return false;
    if (++exchange_->attempt.interim > http::kMaxInterim) {
      attempt_failed(vault::Failure::kBadAnswer);
      return true;
    }
    if (head.status == 100) exchange_->request.was_continued = true;
    if (exchange_->request.version == http::Version::kHttp11) {
      http::append_response_head(exchange_->to_client.room(), head, {exchange_->request.version, true});
    }
    exchange_->from_node.consume(head.bytes);
    return true;
  }
  note_alive();
  if (!judge_final(head)) return false;
  // Head and body go out together where both are there.
  if (state_ == State::kExchange && exchange_->answer.has_begun) (void)relay_body();
  return true;
}

// False: more of it is needed.
bool HttpSession::judge_final(const http::ResponseHead& head) {
  if (!exchange_->request.is_for_leader) {
    // It may lead soon, or the next share of a key is for another node.
    const bool has_changed_node = exchange_->request.request_class == vault::RequestClass::kBootstrap;
    if (has_changed_node)
      front_.worker().hint(exchange_->attempt.node, exchange_->attempt.epoch, cluster::HintKind::kSealed);
    end_init(init_outcome(head.status));
    act(vault::Row::kAnswered, &head, {});
    return true;
  }
  Peeked peeked;
  if (vault::needs_body(head.status)) {
    peeked = peek_body(head.body, exchange_->from_node.view().substr(head.bytes),
                       exchange_->attempt.ended == NodeEnd::kOrderly);
    const bool is_cut = peeked.kind == Peeked::Kind::kPartial && exchange_->attempt.ended != NodeEnd::kNone;
    if (peeked.kind == Peeked::Kind::kPartial && !is_cut) return false;
    if (is_cut || peeked.kind == Peeked::Kind::kBroken) {
      attempt_failed(is_cut ? vault::Failure::kEnded : vault::Failure::kBadAnswer);
      return true;
    }
  }
  vault::Attempt attempt;
  attempt.path = exchange_->request.path;
  const bool may_be_refusal = head.status == 307 || vault::needs_body(head.status);
  if (may_be_refusal) attempt.effect = effect_of_sent();
  attempt.conduct = exchange_->attempt.conduct;
  attempt.forbade_forwarding = true;
  attempt.has_performance_standbys = front_.has_performance_standbys();
  attempt.role = exchange_->attempt.role;
  attempt.node_urls = front_.urls(exchange_->attempt.node);
  const vault::Answer answer{head.status, head.header("Location"), peeked.content, is_behind_index(head)};
  act(vault::judge(attempt, answer), &head, peeked.content);
  return true;
}

// A node that lost the lead a moment ago may be behind the index that the request states: the request goes to whoever
// leads. A node that claims to lead and says it again to the same request is believed, for the index may be another
// cluster's and never come.
bool HttpSession::is_behind_index(const http::ResponseHead& head) const {
  if (!vault::says_index_not_reached(head, exchange_->request.states_index) || !exchange_->to_node.can_rewind())
    return false;
  const bool is_said_again = exchange_->request.row == vault::Row::kIndexNotReached &&
                             proved_node_ == exchange_->attempt.node && proved_epoch_ == exchange_->attempt.epoch;
  return !is_said_again;
}

// `head`: of the answer that the row was judged by, if there was one.
void HttpSession::act(vault::Row row, const http::ResponseHead* head, std::string_view body) {
  if (exchange_->answer.has_begun) return cut_answer(ended_by_node(phase()));
  exchange_->request.row = row;
  front_.worker().counters().http.rows[static_cast<std::size_t>(row)].add();
  if (const auto hint = vault::hint_of(row); hint && row != vault::Row::kNotConnected) {
    front_.worker().hint(exchange_->attempt.node, exchange_->attempt.epoch, *hint);
  }
  switch (vault::verdict_of(row)) {
    case vault::Verdict::kPassOn:
      return must_be_confirmed(*head) ? await_claim() : start_answer(*head);
    case vault::Verdict::kProof:
    case vault::Verdict::kAgainHere:
      return send_again(row);
    case vault::Verdict::kAskMount:
      return ask_mount();
    case vault::Verdict::kAmbiguous:
      return answer_ambiguous(row, body);
  }
}

void HttpSession::start_answer(const http::ResponseHead& head) {
  const bool goes_on =
      exchange_->request.keep_alive && exchange_->request_body.done() && !front_.worker().is_shutting_down();
  exchange_->answer.has_begun = true;
  exchange_->answer.status = head.status;
  exchange_->request.upstream = front_.worker().now() - exchange_->attempt.began;
  exchange_->answer.node_keeps_alive = head.keep_alive;
  exchange_->answer.framing =
      http::append_response_head(exchange_->to_client.room(), head, {exchange_->request.version, goes_on});
  exchange_->answer_body = http::BodyReader(head.body);
  exchange_->from_node.consume(head.bytes);
  exchange_->to_node.stop_keeping();
  note_answered();
}

bool HttpSession::relay_body() {
  bool moved = false;
  while (!exchange_->answer_body.done() && exchange_->to_client.size() < kAhead) {
    if (exchange_->from_node.empty()) {
      if (exchange_->attempt.ended == NodeEnd::kNone) return moved;
      const bool is_whole = exchange_->attempt.ended == NodeEnd::kOrderly && exchange_->answer_body.complete_at_end();
      is_whole ? finish_answer() : cut_answer(ended_by_node(phase()));
      return true;
    }
    const http::BodyReader::Bite bite = exchange_->answer_body.feed(exchange_->from_node.view());
    if (bite.status == http::ParseStatus::kRejected) {
      cut_answer(refused_by_us(phase()));
      return true;
    }
    if (exchange_->answer.framing.body == http::BodyKind::kChunked) {
      http::append_chunk(exchange_->to_client.room(), bite.content);
    } else {
      exchange_->to_client.append(bite.content);
    }
    exchange_->from_node.consume(bite.consumed);
    moved = true;
  }
  if (!exchange_->answer_body.done()) return moved;
  finish_answer();
  return true;
}

void HttpSession::finish_answer() {
  if (exchange_->answer.framing.body == http::BodyKind::kChunked) exchange_->to_client.append(http::kLastChunk);
  if (exchange_->request.is_for_leader && exchange_->answer.status < 500)
    front_.worker().note_success(exchange_->attempt.epoch);
  settle(Outcome::kOk, exchange_->answer.status, kEndedNormally);
  close_after_ = !exchange_->answer.framing.keep_alive || !exchange_->request_body.done();
  give_upstream_back();
  exchange_->to_node.reset();
  state_ = State::kFlushing;
}

// Only one that owes nothing and is owed nothing.
void HttpSession::give_upstream_back() {
  const bool is_even = exchange_->answer_body.done() && exchange_->from_node.empty() &&
                       exchange_->request_body.done() && exchange_->to_node.unsent().empty();
  const bool is_sound = exchange_->answer.node_keeps_alive && exchange_->attempt.ended == NodeEnd::kNone &&
                        !exchange_->attempt.write_broken;
  const bool is_wanted =
      front_.worker().standing(exchange_->attempt.node) == Standing::kKeep && front_.shares_upstreams();
  if (!is_even || !is_sound || !is_wanted) return drop_upstream();
  exchange_->attempt.at_node.reset();
  front_.give_back(std::move(upstream_));
}

// What is missing must be seen to be missing: no last chunk, fewer bytes than announced, or a reset where only the
// close would tell.
void HttpSession::cut_answer(EndReason reason) {
  if (exchange_->attempt.ended == NodeEnd::kBroken) {
    front_.worker().hint(exchange_->attempt.node, exchange_->attempt.epoch, cluster::HintKind::kReset);
  }
  settle(Outcome::kCut, exchange_->answer.status, reason);
  (void)write_client();
  if (state_ == State::kEnded) return;
  if (exchange_->answer.framing.body == http::BodyKind::kUntilClose) client_->abort();
  end(reason);
}

void HttpSession::answer_ambiguous(vault::Row row, std::string_view body) {
  const EndReason reason = reason_of(row);
  drop_upstream();
  const std::string said = vault::first_error(body);
  std::string why(vault::explanation_of(row));
  const int status = front_.worker().options().ambiguous_status;
  fail_request(Outcome::kAmbiguous, status, why, reason);
  if (!said.empty()) why += fmt::format(" (the node said: {})", said);
  respond(status, ambiguous_text(why, exchange_->request.id), true);
}

void HttpSession::answer_unserved(std::string_view why, EndReason reason, int status) {
  if (exchange_->request.awaits_mount) return answer_maybe_acted();
  drop_upstream();
  fail_request(Outcome::kUnserved, status, why, reason);
  respond(status, unserved_text(why, exchange_->request.id), true);
}

// An answer of our own. REQUIRES: none of the node's has begun, and the request is settled.
void HttpSession::respond(int status, std::string_view why, bool may_keep_alive) {
  http::Response response = http::vault_error(status, why);
  if (status == 503) response.headers.push_back({"Retry-After", "1"});
  if (!exchange_->request.id.empty())
    response.headers.push_back({std::string(kRequestIdHeader), exchange_->request.id});
  const bool keeps_alive = may_keep_alive && exchange_->request.keep_alive &&
                           exchange_->request.version == http::Version::kHttp11 && exchange_->request_body.done() &&
                           !front_.worker().is_shutting_down();
  exchange_->to_client.append(http::serialize(response, keeps_alive, exchange_->request.method == "HEAD"));
  close_after_ = !keeps_alive;
  exchange_->to_node.reset();
  exchange_->from_node.clear();
  state_ = State::kFlushing;
}

}  // namespace bellwether::proxy
