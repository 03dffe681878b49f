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
  if (answer_.has_begun) return relay_body();
  if (is_unconfirmed()) return false;
  const bool has_ended = attempt_.ended != NodeEnd::kNone;
  if (from_node_.empty() && !has_ended) return false;
  if (attempt_.sent == 0) {
    // What comes on a connection without an outstanding request is no answer to one (RFC 9112 section 9.2).
    attempt_failed(vault::Failure::kEnded);
    return true;
  }
  const http::HeadLimits& limits = front_.worker().options().head_limits;
  if (!has_ended && !attempt_.answer_search.is_worth_parsing(from_node_.view(), limits)) return false;
  const HttpFront::ScratchUse use(front_);
  http::ResponseHead& head = front_.response_scratch();
  const http::ParseOutcome parsed = http::parse_response_head(from_node_.view(), request_.method, limits, head);
  if (parsed.status == http::ParseStatus::kRejected) {
    attempt_failed(vault::Failure::kBadAnswer);
    return true;
  }
  if (parsed.status == http::ParseStatus::kNeedMore) {
    attempt_.answer_search.need_more(from_node_.view());
    if (has_ended) attempt_failed(vault::Failure::kEnded);
    return has_ended;
  }
  attempt_.answer_search.restart();
  if (head.status == 101) {
    if (request_.is_websocket && http::grants_upgrade(head, "websocket")) {
      start_tunnel(head);
    } else {
      attempt_failed(vault::Failure::kBadAnswer);
    }
    return true;
  }
  if (head.status < 200) {
    if (to_client_.size() >= kAhead) return false;
    if (++attempt_.interim > http::kMaxInterim) {
      attempt_failed(vault::Failure::kBadAnswer);
      return true;
    }
    if (head.status == 100) request_.was_continued = true;
    if (request_.version == http::Version::kHttp11) {
      http::append_response_head(to_client_.room(), head, {request_.version, true});
    }
    from_node_.consume(head.bytes);
    return true;
  }
  note_alive();
  if (!judge_final(head)) return false;
  // Head and body go out together where both are there.
  if (state_ == State::kExchange && answer_.has_begun) (void)relay_body();
  return true;
}

// False: more of it is needed.
bool HttpSession::judge_final(const http::ResponseHead& head) {
  if (!request_.is_for_leader) {
    // It may lead soon, or the next share of a key is for another node.
    const bool has_changed_node = request_.request_class == vault::RequestClass::kBootstrap;
    if (has_changed_node) front_.worker().hint(attempt_.node, attempt_.epoch, cluster::HintKind::kSealed);
    end_init(init_outcome(head.status));
    act(vault::Row::kAnswered, &head, {});
    return true;
  }
  Peeked peeked;
  if (vault::needs_body(head.status)) {
    peeked = peek_body(head.body, from_node_.view().substr(head.bytes), attempt_.ended == NodeEnd::kOrderly);
    const bool is_cut = peeked.kind == Peeked::Kind::kPartial && attempt_.ended != NodeEnd::kNone;
    if (peeked.kind == Peeked::Kind::kPartial && !is_cut) return false;
    if (is_cut || peeked.kind == Peeked::Kind::kBroken) {
      attempt_failed(is_cut ? vault::Failure::kEnded : vault::Failure::kBadAnswer);
      return true;
    }
  }
  vault::Attempt attempt;
  attempt.path = request_.path;
  const bool may_be_refusal = head.status == 307 || vault::needs_body(head.status);
  if (may_be_refusal) attempt.effect = effect_of_sent();
  attempt.conduct = attempt_.conduct;
  attempt.forbade_forwarding = true;
  attempt.has_performance_standbys = front_.has_performance_standbys();
  attempt.role = attempt_.role;
  attempt.node_urls = front_.urls(attempt_.node);
  const vault::Answer answer{head.status, head.header("Location"), peeked.content, is_behind_index(head)};
  act(vault::judge(attempt, answer), &head, peeked.content);
  return true;
}

// A node that lost the lead a moment ago may be behind the index that the request states: the request goes to whoever
// leads. A node that claims to lead and says it again to the same request is believed, for the index may be another
// cluster's and never come.
bool HttpSession::is_behind_index(const http::ResponseHead& head) const {
  if (!vault::says_index_not_reached(head, request_.states_index) || !to_node_.can_rewind()) return false;
  const bool is_said_again =
      request_.row == vault::Row::kIndexNotReached && proved_node_ == attempt_.node && proved_epoch_ == attempt_.epoch;
  return !is_said_again;
}

// `head`: of the answer that the row was judged by, if there was one.
void HttpSession::act(vault::Row row, const http::ResponseHead* head, std::string_view body) {
  if (answer_.has_begun) return cut_answer(ended_by_node(phase()));
  request_.row = row;
  front_.worker().counters().http.rows[static_cast<std::size_t>(row)].add();
  if (const auto hint = vault::hint_of(row); hint && row != vault::Row::kNotConnected) {
    front_.worker().hint(attempt_.node, attempt_.epoch, *hint);
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
  const bool goes_on = request_.keep_alive && request_body_.done() && !front_.worker().is_shutting_down();
  answer_.has_begun = true;
  answer_.status = head.status;
  request_.upstream = front_.worker().now() - attempt_.began;
  answer_.node_keeps_alive = head.keep_alive;
  answer_.framing = http::append_response_head(to_client_.room(), head, {request_.version, goes_on});
  answer_body_ = http::BodyReader(head.body);
  from_node_.consume(head.bytes);
  to_node_.stop_keeping();
  note_answered();
}

bool HttpSession::relay_body() {
  bool moved = false;
  while (!answer_body_.done() && to_client_.size() < kAhead) {
    if (from_node_.empty()) {
      if (attempt_.ended == NodeEnd::kNone) return moved;
      const bool is_whole = attempt_.ended == NodeEnd::kOrderly && answer_body_.complete_at_end();
      is_whole ? finish_answer() : cut_answer(ended_by_node(phase()));
      return true;
    }
    const http::BodyReader::Bite bite = answer_body_.feed(from_node_.view());
    if (bite.status == http::ParseStatus::kRejected) {
      cut_answer(refused_by_us(phase()));
      return true;
    }
    if (answer_.framing.body == http::BodyKind::kChunked) {
      http::append_chunk(to_client_.room(), bite.content);
    } else {
      to_client_.append(bite.content);
    }
    from_node_.consume(bite.consumed);
    moved = true;
  }
  if (!answer_body_.done()) return moved;
  finish_answer();
  return true;
}

void HttpSession::finish_answer() {
  if (answer_.framing.body == http::BodyKind::kChunked) to_client_.append(http::kLastChunk);
  if (request_.is_for_leader && answer_.status < 500) front_.worker().note_success(attempt_.epoch);
  settle(Outcome::kOk, answer_.status, kEndedNormally);
  close_after_ = !answer_.framing.keep_alive || !request_body_.done();
  give_upstream_back();
  to_node_.reset();
  state_ = State::kFlushing;
}

// Only one that owes nothing and is owed nothing.
void HttpSession::give_upstream_back() {
  const bool is_even = answer_body_.done() && from_node_.empty() && request_body_.done() && to_node_.unsent().empty();
  const bool is_sound = answer_.node_keeps_alive && attempt_.ended == NodeEnd::kNone && !attempt_.write_broken;
  const bool is_wanted = front_.worker().standing(attempt_.node) == Standing::kKeep && front_.shares_upstreams();
  if (!is_even || !is_sound || !is_wanted) return drop_upstream();
  attempt_.at_node.reset();
  front_.give_back(std::move(upstream_));
}

// What is missing must be seen to be missing: no last chunk, fewer bytes than announced, or a reset where only the
// close would tell.
void HttpSession::cut_answer(EndReason reason) {
  if (attempt_.ended == NodeEnd::kBroken) {
    front_.worker().hint(attempt_.node, attempt_.epoch, cluster::HintKind::kReset);
  }
  settle(Outcome::kCut, answer_.status, reason);
  (void)write_client();
  if (state_ == State::kEnded) return;
  if (answer_.framing.body == http::BodyKind::kUntilClose) client_->abort();
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
  respond(status, ambiguous_text(why, request_.id), true);
}

void HttpSession::answer_unserved(std::string_view why, EndReason reason, int status) {
  if (request_.awaits_mount) return answer_maybe_acted();
  drop_upstream();
  fail_request(Outcome::kUnserved, status, why, reason);
  respond(status, unserved_text(why, request_.id), true);
}

// An answer of our own. REQUIRES: none of the node's has begun, and the request is settled.
void HttpSession::respond(int status, std::string_view why, bool may_keep_alive) {
  http::Response response = http::vault_error(status, why);
  if (status == 503) response.headers.push_back({"Retry-After", "1"});
  if (!request_.id.empty()) response.headers.push_back({std::string(kRequestIdHeader), request_.id});
  const bool keeps_alive = may_keep_alive && request_.keep_alive && request_.version == http::Version::kHttp11 &&
                           request_body_.done() && !front_.worker().is_shutting_down();
  to_client_.append(http::serialize(response, keeps_alive, request_.method == "HEAD"));
  close_after_ = !keeps_alive;
  to_node_.reset();
  from_node_.clear();
  state_ = State::kFlushing;
}

}  // namespace bellwether::proxy
