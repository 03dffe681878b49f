#include <utility>

#include "http_front.h"
#include "http_session.h"
#include "worker.h"

// After a refusal that is proof only where the request's mount touches nothing but storage, the request waits as after
// any proof, and before it is sent again the new leader is asked which mount it is (FACTS.md 3).
namespace bellwether::proxy {
namespace {

constexpr int kMaxLookups = 5;
constexpr Duration kLookupBackoff = 50ms;

}  // namespace

// Of the head as it was sent: what Connection stripped is not a token that the node has seen.
const http::RequestHead* HttpSession::sent_head() {
  http::RequestHead& head = front_.request_scratch();
  const auto parsed = http::parse_request_head(exchange_->to_node.head(), sent_head_limits(), head);
  return parsed.status == http::ParseStatus::kDone ? &head : nullptr;
}

// Ours adds headers to what the client may send.
http::HeadLimits HttpSession::sent_head_limits() const {
  constexpr std::size_t kOwnBytes = 64 * 1024;
  constexpr std::size_t kOwnHeaders = 64;
  const http::HeadLimits& limits = front_.worker().options().head_limits;
  return {limits.max_head_bytes + kOwnBytes, limits.max_headers + kOwnHeaders};
}

vault::Effect HttpSession::effect_of_sent() {
  if (!exchange_->request.effect && exchange_->to_node.can_rewind()) note_effect();
  return exchange_->request.effect.value_or(vault::Effect::kOutside);
}

// REQUIRES: exchange_->to_node.can_rewind()
void HttpSession::note_effect() {
  const http::RequestHead* head = sent_head();
  if (head == nullptr) return;
  exchange_->request.effect = vault::effect_of(exchange_->request.path, *head);
  if (exchange_->request.effect != vault::Effect::kByMount) return;
  const auto known = front_.mounts().effect_of(head->header(vault::kNamespaceHeader).value_or(std::string_view{}),
                                               exchange_->request.path, front_.worker().now());
  if (known) exchange_->request.effect = *known;
}

void HttpSession::ask_mount() {
  if (!exchange_->to_node.can_rewind()) return answer_maybe_acted();
  exchange_->request.awaits_mount = true;
  exchange_->request.lookups = 0;
  send_again(vault::Row::kUnknownMount);
}

void HttpSession::answer_maybe_acted() {
  exchange_->request.awaits_mount = false;
  exchange_->mount_lookup.reset();
  act(vault::Row::kMaybeActed, nullptr, {});
}

// Whether the request may go to `target` as far as its mount is concerned. Otherwise it waits on, or has been answered.
bool HttpSession::is_mount_settled(NodeId target) {
  if (!exchange_->request.awaits_mount) return true;
  if (!exchange_->mount_lookup) {
    note_effect();  // another request may have learned it
    if (exchange_->request.effect != vault::Effect::kByMount) return settle_mount(effect_of_sent());
    look_up_mount(target);
    return false;
  }
  switch (exchange_->mount_lookup->outcome()) {
    case MountLookup::Outcome::kUnderWay:
      if (exchange_->mount_lookup->node() != target) exchange_->mount_lookup.reset();
      return false;
    case MountLookup::Outcome::kKnown: {
      const vault::Effect effect = vault::effect_in(exchange_->mount_lookup->mount(), exchange_->request.path);
      if (const http::RequestHead* head = sent_head()) {
        front_.mounts().remember(head->header(vault::kNamespaceHeader).value_or(std::string_view{}),
                                 exchange_->mount_lookup->mount(), front_.worker().now());
      }
      return settle_mount(effect);
    }
    case MountLookup::Outcome::kRefused:
      return settle_mount(vault::Effect::kOutside);
    case MountLookup::Outcome::kFailed:
      exchange_->mount_lookup.reset();
      mount_failed_at_ = front_.worker().now();
      return exchange_->request.lookups < kMaxLookups ? false : settle_mount(vault::Effect::kOutside);
  }
  return false;
}

void HttpSession::look_up_mount(NodeId target) {
  const bool is_too_soon = exchange_->request.lookups > 0 && front_.worker().now() - mount_failed_at_ < kLookupBackoff;
  if (is_too_soon || front_.mount_lookups() >= MountLookup::kMaxAtOnce) return;
  const http::RequestHead* head = sent_head();
  std::string question = head == nullptr ? std::string() : vault::mount_request(*head);
  if (question.empty()) {
    static_cast<void>(settle_mount(vault::Effect::kOutside));
    return;
  }
  ++exchange_->request.lookups;
  exchange_->mount_lookup = std::make_unique<MountLookup>(front_, target, std::move(question), preamble_);
}

// REQUIRES: held
bool HttpSession::settle_mount(vault::Effect effect) {
  exchange_->mount_lookup.reset();
  exchange_->request.effect = effect;
  if (effect == vault::Effect::kStorage) {
    exchange_->request.awaits_mount = false;
    return true;
  }
  unhold();
  answer_maybe_acted();
  pump();
  return false;
}

}  // namespace bellwether::proxy
