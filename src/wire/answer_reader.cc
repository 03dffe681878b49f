#include "answer_reader.h"

#include <fmt/format.h>

#include <utility>

namespace bellwether::wire {

namespace {

// Of chunk sizes, extensions and trailers: a node has no reason to send more, and it costs the loop's others time.
constexpr std::size_t kMaxFramingBytes = 64 * 1024;

}  // namespace

AnswerReader::AnswerReader(std::string_view request_method, std::size_t max_head_bytes, std::size_t max_body_bytes)
    : method_(request_method), max_head_bytes_(max_head_bytes), max_body_bytes_(max_body_bytes) {}

void AnswerReader::feed(std::string_view bytes) {
  if (bytes.empty() || has_failed()) return;
  has_started_ = true;
  if (is_complete()) {
    has_surplus_ = true;
  } else if (state_ == State::kBody) {
    read_body(bytes);
  } else {
    head_bytes_ += bytes;
    while (state_ == State::kHead && read_head()) {
    }
    if (state_ == State::kBody) read_body(std::exchange(head_bytes_, {}));
  }
}

void AnswerReader::end() {
  if (state_ == State::kBody && body_.complete_at_end()) state_ = State::kComplete;
}

bool AnswerReader::read_head() {
  http::ResponseHead head;
  const http::HeadLimits limits{.max_head_bytes = max_head_bytes_};
  if (!head_search_.is_worth_parsing(head_bytes_, limits)) return false;
  const http::ParseOutcome outcome = http::parse_response_head(head_bytes_, method_, limits, head);
  if (outcome.status == http::ParseStatus::kNeedMore) {
    head_search_.need_more(head_bytes_);
    return false;
  }
  head_search_.restart();
  if (outcome.status == http::ParseStatus::kRejected) {
    fail(fmt::format("the answer is not acceptable HTTP/1.1: {}", http::to_text(outcome.reason)));
    return false;
  }
  if (head.status == 101) {
    fail("the answer switches protocols, which nobody asked for");
    return false;
  }
  if (head.status >= 200) {
    reply_.status = head.status;
    for (const http::Header& header : head.headers) reply_.headers.emplace_back(header.name, header.value);
    keep_alive_ = head.keep_alive;
    body_ = http::BodyReader(head.body);
    state_ = State::kBody;
  } else if (++interim_ > http::kMaxInterim) {
    fail(fmt::format("over {} interim answers (1xx) came before the answer", http::kMaxInterim));
    return false;
  }
  head_bytes_.erase(0, head.bytes);
  return true;
}

void AnswerReader::read_body(std::string_view bytes) {
  while (true) {
    const http::BodyReader::Bite bite = body_.feed(bytes);
    bytes.remove_prefix(bite.consumed);
    if (bite.status == http::ParseStatus::kRejected) {
      return fail(fmt::format("the answer's body is broken: {}", http::to_text(bite.reason)));
    }
    if (bite.content.size() > max_body_bytes_ - reply_.body.size()) {
      return fail(fmt::format("the answer's body is over {} bytes", max_body_bytes_));
    }
    framing_bytes_ += bite.consumed - bite.content.size();
    if (framing_bytes_ > kMaxFramingBytes) {
      return fail(fmt::format("the answer's body has over {} bytes of chunk sizes and extensions", kMaxFramingBytes));
    }
    reply_.body += bite.content;
    if (bite.status == http::ParseStatus::kDone) {
      state_ = State::kComplete;
      has_surplus_ = !bytes.empty();
      return;
    }
    if (bite.consumed == 0) return;
  }
}

void AnswerReader::fail(std::string problem) {
  problem_ = std::move(problem);
  state_ = State::kFailed;
}

}  // namespace bellwether::wire
