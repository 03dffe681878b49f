#include "state_feed.h"

#include <algorithm>
#include <utility>

namespace bellwether::admin {

StateFeed::StateFeed(net::Loop& loop, AskControl ask_control, OnAnswer on_answer)
    : loop_(loop),
      ask_control_(std::move(ask_control)),
      on_answer_(std::move(on_answer)),
      timer_(loop, [this] { on_timer(); }) {}

void StateFeed::add(PendingRead read) {
  waiting_.push_back(std::move(read));
  if (!is_asking_) ask();
}

void StateFeed::on_gone(const wire::Server& server, wire::ExchangeId exchange) {
  const auto is_it = [&](const PendingRead& read) { return read.server == &server && read.exchange == exchange; };
  waiting_.erase(std::remove_if(waiting_.begin(), waiting_.end(), is_it), waiting_.end());
  asked_.erase(std::remove_if(asked_.begin(), asked_.end(), is_it), asked_.end());
}

void StateFeed::on_state(const StatePtr& state) {
  is_asking_ = false;
  timer_.cancel();
  on_answer_(std::exchange(asked_, {}), state);
  if (!waiting_.empty() && !is_asking_) ask();
}

// Now, or when the interval since the last copy is over.
void StateFeed::ask() {
  const TimePoint due = asked_at_ == TimePoint::min() ? loop_.now() : asked_at_ + kMinStateInterval;
  if (loop_.now() < due) {
    if (!timer_.is_armed()) timer_.arm_at(due);
    return;
  }
  Needs needs;
  for (const PendingRead& read : waiting_) needs |= needs_of(read.path);
  asked_ = std::exchange(waiting_, {});
  asked_at_ = loop_.now();
  is_asking_ = true;
  timer_.arm_in(kControlPatience);
  ask_control_(needs);
}

void StateFeed::on_timer() {
  if (!is_asking_) {
    if (!waiting_.empty()) ask();
    return;
  }
  // It was asked and is still to answer: nothing else is asked of it until then.
  for (PendingRead& read : std::exchange(waiting_, {})) asked_.push_back(std::move(read));
  on_answer_(std::exchange(asked_, {}), nullptr);
  timer_.arm_in(kControlPatience);
}

}  // namespace bellwether::admin
