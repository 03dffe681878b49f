#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "bellwether/http/body.h"
#include "bellwether/http/head.h"
#include "bellwether/wire/client.h"

namespace bellwether::wire {

// Puts one answer together from the bytes of a connection. A few interim answers (1xx) are skipped. No I/O. What it
// takes before it fails is bounded in all: a head's and a body's size, interim answers, and what frames the body.
class AnswerReader {
 public:
  AnswerReader(std::string_view request_method, std::size_t max_head_bytes, std::size_t max_body_bytes);

  void feed(std::string_view bytes);
  // The connection ended in an orderly way: completes a body that lasts until then.
  void end();

  [[nodiscard]] bool is_complete() const { return state_ == State::kComplete; }
  [[nodiscard]] bool has_failed() const { return state_ == State::kFailed; }
  [[nodiscard]] bool has_started() const { return has_started_; }
  [[nodiscard]] const std::string& problem() const { return problem_; }
  // Bytes came behind the complete answer: nobody asked for them.
  [[nodiscard]] bool has_surplus() const { return has_surplus_; }
  [[nodiscard]] bool allows_reuse() const { return keep_alive_ && !has_surplus_; }
  // REQUIRES: is_complete().
  [[nodiscard]] Reply take() { return std::move(reply_); }

 private:
  enum class State : std::uint8_t { kHead, kBody, kComplete, kFailed };
  bool read_head();  // false: not whole yet, or failed
  void read_body(std::string_view bytes);
  void fail(std::string problem);

  std::string method_;
  std::size_t max_head_bytes_;
  std::size_t max_body_bytes_;
  State state_ = State::kHead;
  std::string head_bytes_;
  http::HeadSearch head_search_;
  http::BodyReader body_;
  Reply reply_;
  std::string problem_;
  int interim_ = 0;
  std::size_t framing_bytes_ = 0;
  bool keep_alive_ = false;
  bool has_started_ = false;
  bool has_surplus_ = false;
};

}  // namespace bellwether::wire
