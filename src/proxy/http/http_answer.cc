#include <fmt/format.h>

#include <utility>

#include "bellwether/http/chunk_writer.h"
#include "bellwether/http/serialize.h"
#include "bellwether/vault/consistency.h"
#include "http_connection.h"
#include "http_front.h"
#include "proxy/core/failure_text.h"
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

}  // namespace

bool HttpExchange::take_answer() {
  if (answer.has_begun) return relay_body();
  if (is_unconfirmed()) return false;
  const bool has_ended = attempt.ended != NodeEnd::kNone;
  if (from_node.empty() && !has_ended) return false;
  if (attempt.sent == 0) {
    // What comes on a connection without an outstanding request is no answer to one (RFC 9112 section 9.2).
    attempt_failed(vault::Failure::kEnded);
    return true;
  }
  const http::HeadLimits& limits = front_.worker().options().head_limits;
  if (!has_ended && !attempt.answer_search.is_worth_parsing(from_node.view(), limits)) return false;
  const HttpFront::ScratchUse use(front_);
  http::ResponseHead& head = front_.response_scratch();
  const http::ParseOutcome parsed = http::parse_response_head(from_node.view(), request.method, limits, head);
  if (parsed.status == http::ParseStatus::kRejected) {
    attempt_failed(vault::Failure::kBadAnswer);
    return true;
  }
  if (parsed.status == http::ParseStatus::kNeedMore) {
    attempt.answer_search.need_more(from_node.view());
    if (has_ended) attempt_failed(vault::Failure::kEnded);
    return has_ended;
  }
  attempt.answer_search.restart();
  if (head.status == 101) {
    if (request.is_websocket && http::grants_upgrade(head, "websocket")) {
      start_tunnel(head);
    } else {
      attempt_failed(vault::Failure::kBadAnswer);
    }
    return true;
  }
  if (head.status < 200) {
    if (to_client.size() >= kAhead) return false;
    if (++attempt.interim > http::kMaxInterim) {
      attempt_failed(vault::Failure::kBadAnswer);
      return true;
    }
    if (head.status == 100) request.was_continued = true;
    if (request.version == http::Version::kHttp11) {
      http::append_response_head(to_client.room(), head, {request.version, true});
    }
    from_node.consume(head.bytes);
    return true;
  }
  note_alive();
  if (!judge_final(head)) return false;
  // Head and body go out together where both are there.
  if (stage_ == Stage::kAtNode && answer.has_begun) (void)relay_body();
  return true;
}

// False: more of it is needed.
bool HttpExchange::judge_final(const http::ResponseHead& head) {
  if (!request.is_for_leader) {
    // It may lead soon, or the next share of a key is for another node.
    const bool has_changed_node = request.request_class == vault::RequestClass::kBootstrap;
    if (has_changed_node) front_.worker().hint(attempt.node, attempt.epoch, cluster::HintKind::kSealed);
    end_init(init_outcome(head.status));
    act(vault::Row::kAnswered, &head, {});
    return true;
  }
  Peeked peeked;
  if (vault::needs_body(head.status)) {
    peeked = peek_body(head.body, from_node.view().substr(head.bytes), attempt.ended == NodeEnd::kOrderly);
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
  if (may_be_refusal) judged.effect = mount_check.effect(sent());
  judged.conduct = attempt.conduct;
  judged.forbade_forwarding = true;
  judged.has_performance_standbys = front_.has_performance_standbys();
  judged.role = attempt.role;
  judged.node_urls = front_.urls(attempt.node);
  const vault::Answer told{head.status, head.header("Location"), peeked.content, is_behind_index(head)};
  act(vault::judge(judged, told), &head, peeked.content);
  return true;
}

// A node that lost the lead a moment ago may be behind the index that the request states: the request goes to whoever
// leads. A node that claims to lead and says it again to the same request is believed, for the index may be another
// cluster's and never come.
bool HttpExchange::is_behind_index(const http::ResponseHead& head) const {
  if (!vault::says_index_not_reached(head, request.states_index) || !to_node.can_rewind()) return false;
  const bool is_said_again =
      request.row == vault::Row::kIndexNotReached && proof.node == attempt.node && proof.epoch == attempt.epoch;
  return !is_said_again;
}

// `head`: of the answer that the row was judged by, if there was one.
void HttpExchange::act(vault::Row row, const http::ResponseHead* head, std::string_view body) {
  if (answer.has_begun) return cut_answer(ended_by_node(phase()));
  request.row = row;
  front_.worker().counters().http.rows[static_cast<std::size_t>(row)].add();
  if (const auto hint = vault::hint_of(row); hint && row != vault::Row::kNotConnected) {
    front_.worker().hint(attempt.node, attempt.epoch, *hint);
  }
  switch (vault::verdict_of(row)) {
    case vault::Verdict::kPassOn:
      return must_be_confirmed(*head) ? await_claim() : start_answer(*head);
    case vault::Verdict::kProof:
    case vault::Verdict::kAgainHere:
      return send_again(row);
    case vault::Verdict::kAskMount:
      return check_mount();
    case vault::Verdict::kAmbiguous:
      return answer_ambiguous(row, body);
  }
}

void HttpExchange::start_answer(const http::ResponseHead& head) {
  const bool goes_on = request.keep_alive && request_body.done() && !front_.worker().is_shutting_down();
  answer.has_begun = true;
  answer.status = head.status;
  request.upstream = front_.worker().now() - attempt.began;
  answer.node_keeps_alive = head.keep_alive;
  answer.framing = http::append_response_head(to_client.room(), head, {request.version, goes_on});
  answer_body = http::BodyReader(head.body);
  from_node.consume(head.bytes);
  to_node.stop_keeping();
  note_answered();
}

bool HttpExchange::relay_body() {
  bool moved = false;
  while (!answer_body.done() && to_client.size() < kAhead) {
    if (from_node.empty()) {
      if (attempt.ended == NodeEnd::kNone) return moved;
      const bool is_whole = attempt.ended == NodeEnd::kOrderly && answer_body.complete_at_end();
      is_whole ? finish_answer() : cut_answer(ended_by_node(phase()));
      return true;
    }
    const http::BodyReader::Bite bite = answer_body.feed(from_node.view());
    if (bite.status == http::ParseStatus::kRejected) {
      cut_answer(refused_by_us(phase()));
      return true;
    }
    if (answer.framing.body == http::BodyKind::kChunked) {
      http::append_chunk(to_client.room(), bite.content);
    } else {
      to_client.append(bite.content);
    }
    from_node.consume(bite.consumed);
    moved = true;
  }
  if (!answer_body.done()) return moved;
  finish_answer();
  return true;
}

void HttpExchange::finish_answer() {
  if (answer.framing.body == http::BodyKind::kChunked) to_client.append(http::kLastChunk);
  if (request.is_for_leader && answer.status < 500) front_.worker().note_success(attempt.epoch);
  settle(Outcome::kOk, answer.status, kEndedNormally);
  answer.is_last = !answer.framing.keep_alive || !request_body.done();
  give_upstream_back();
  to_node.reset();
  become(Stage::kAnswered);
}

// What is missing must be seen to be missing: no last chunk, fewer bytes than announced, or a reset where only the
// close would tell.
void HttpExchange::cut_answer(EndReason reason) {
  if (attempt.ended == NodeEnd::kBroken) {
    front_.worker().hint(attempt.node, attempt.epoch, cluster::HintKind::kReset);
  }
  settle(Outcome::kCut, answer.status, reason);
  (void)connection_->write();
  if (stage_ == Stage::kOver) return;
  answer.framing.body == http::BodyKind::kUntilClose ? connection_->abort(reason) : connection_->end(reason);
}

void HttpExchange::answer_ambiguous(vault::Row row, std::string_view body) {
  const EndReason reason = reason_of(row);
  drop_upstream();
  const std::string said = vault::first_error(body);
  std::string why(vault::explanation_of(row));
  const int status = front_.worker().options().ambiguous_status;
  fail_request(Outcome::kAmbiguous, status, why, reason);
  if (!said.empty()) why += fmt::format(" (the node said: {})", said);
  respond(status, ambiguous_text(why, request.id), true);
}

void HttpExchange::answer_unserved(std::string_view why, EndReason reason, int status) {
  if (mount_check.is_under_way()) return answer_maybe_acted();
  drop_upstream();
  fail_request(Outcome::kUnserved, status, why, reason);
  respond(status, unserved_text(why, request.id), true);
}

// An answer of our own. REQUIRES: none of the node's has begun, and the request is settled.
void HttpExchange::respond(int status, std::string_view why, bool may_keep_alive) {
  http::Response response = http::vault_error(status, why);
  if (status == 503) response.headers.push_back({"Retry-After", "1"});
  if (!request.id.empty()) response.headers.push_back({std::string(kRequestIdHeader), request.id});
  const bool keeps_alive = may_keep_alive && request.keep_alive && request.version == http::Version::kHttp11 &&
                           request_body.done() && !front_.worker().is_shutting_down();
  to_client.append(http::serialize(response, keeps_alive, request.method == "HEAD"));
  answer.is_last = !keeps_alive;
  to_node.reset();
  from_node.clear();
  become(Stage::kAnswered);
}

}  // namespace bellwether::proxy
