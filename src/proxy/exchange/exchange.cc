#include "exchange.h"

#include <utility>

#include "bellwether/base/assert.h"

namespace bellwether::proxy {

namespace {

constexpr std::size_t kKeptPath = 256;  // bytes, of the path of an ordinary request
// What a held request takes beside its buffers: the connection, its TLS state, texts.
constexpr std::size_t kHeldOverhead = 4096;

bool may_follow(Stage now, Stage next) {
  switch (now) {
    case Stage::kHead:
      return next != Stage::kTunnel;
    case Stage::kHeld:
      return next == Stage::kHead;
    case Stage::kAtNode:
      return next != Stage::kHead && next != Stage::kDroppingBody;
    case Stage::kDroppingBody:
      return next == Stage::kAnswered || next == Stage::kOver;
    case Stage::kAnswered:
      return next == Stage::kHead || next == Stage::kOver;
    case Stage::kTunnel:
      return next == Stage::kOver;
    case Stage::kOver:
      return false;
  }
  return false;
}

}  // namespace

void Exchange::become(Stage next) {
  BW_ASSERT(may_follow(stage_, next));
  stage_ = next;
}

Phase Exchange::phase() const {
  switch (stage_) {
    case Stage::kHead:
      return Phase::kRequest;
    case Stage::kHeld:
      return Phase::kHeld;
    case Stage::kAtNode:
      if (attempt.is_connecting) return Phase::kConnecting;
      return answer.has_begun ? Phase::kRelaying : Phase::kHeaders;
    case Stage::kTunnel:
      return Phase::kRelaying;
    case Stage::kDroppingBody:
    case Stage::kAnswered:
    case Stage::kOver:
      return Phase::kLastData;
  }
  return Phase::kLastData;
}

bool Exchange::waits_for_client() const {
  if (stage_ == Stage::kAnswered || stage_ == Stage::kDroppingBody) return true;
  if (stage_ != Stage::kAtNode || attempt.is_connecting) return false;
  const bool awaits_body = !request_body.done() && in.empty() && to_node.unsent().empty();
  return awaits_body || !to_client.empty();
}

bool Exchange::cannot_be_answered() const {
  if (stage_ == Stage::kHeld) return true;
  if (stage_ != Stage::kAtNode) return false;
  const bool is_endless = request.request_class == vault::RequestClass::kStream;
  return is_endless || (!request_body.done() && in.empty());
}

bool Exchange::drops_body() const {
  return request.target != nullptr && !request_body.done() &&
         (stage_ == Stage::kHeld || stage_ == Stage::kDroppingBody);
}

std::optional<NodeId> Exchange::waits_for_node(TimePoint now, Duration most) const {
  const bool waits = stage_ == Stage::kAtNode && request.request_class == vault::RequestClass::kData &&
                     !answer.has_begun && attempt.answered_at == kNever && attempt.all_sent_at != kNever;
  if (!waits || now - attempt.all_sent_at < most) return std::nullopt;
  return attempt.node;
}

std::size_t Exchange::shrink() {
  std::size_t bytes = kHeldOverhead;
  for (ByteQueue* queue : {&in, &from_node, &to_client}) {
    queue->shrink();
    bytes += queue->capacity();
  }
  to_node.shrink();
  if (request.target) bytes += request.target->target.capacity() + request.target->host.capacity();
  return bytes + to_node.capacity() + request.head_without_expect.capacity() + request.path.capacity();
}

void Exchange::restart() {
  BW_ASSERT(to_client.empty());
  if (stage_ != Stage::kHead) become(Stage::kHead);
  in.release_if_big();
  from_node.clear();
  from_node.release_if_big();
  to_client.release_if_big();
  to_node.reset();
  Request last = std::exchange(request, {});
  last.path.clear();
  if (last.path.capacity() <= kKeptPath) request.path = std::move(last.path);
  request_body = {};
  hold_place = {};
  mount_check = {};
  attempt = {};
  proof = {};
  answer = {};
  answer_body = {};
}

}  // namespace bellwether::proxy
