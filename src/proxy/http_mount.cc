#include <utility>

#include "http_connection.h"
#include "http_front.h"
#include "worker.h"

// After a refusal that is proof only where the request's mount touches nothing but storage, the request waits as after
// any proof, and before it is sent again the new leader is asked which mount it is (FACTS.md 3).
namespace bellwether::proxy {
namespace {

constexpr int kMaxLookups = 5;
constexpr Duration kLookupBackoff = 50ms;

}  // namespace

// Of the head as it was sent: what Connection stripped is not a token that the node has seen.
const http::RequestHead* HttpExchange::sent_head() {
  http::RequestHead& head = front_.request_scratch();
  const auto parsed = http::parse_request_head(to_node.head(), sent_head_limits(), head);
  return parsed.status == http::ParseStatus::kDone ? &head : nullptr;
}

// Ours adds headers to what the client may send.
http::HeadLimits HttpExchange::sent_head_limits() const {
  constexpr std::size_t kOwnBytes = 64 * 1024;
  constexpr std::size_t kOwnHeaders = 64;
  const http::HeadLimits& limits = front_.worker().options().head_limits;
  return {limits.max_head_bytes + kOwnBytes, limits.max_headers + kOwnHeaders};
}

vault::Effect HttpExchange::effect_of_sent() {
  if (!request.effect && to_node.can_rewind()) note_effect();
  return request.effect.value_or(vault::Effect::kOutside);
}

// REQUIRES: to_node.can_rewind()
void HttpExchange::note_effect() {
  const http::RequestHead* head = sent_head();
  if (head == nullptr) return;
  request.effect = vault::effect_of(request.path, *head);
  if (request.effect != vault::Effect::kByMount) return;
  const auto known = front_.mounts().effect_of(head->header(vault::kNamespaceHeader).value_or(std::string_view{}),
                                               request.path, front_.worker().now());
  if (known) request.effect = *known;
}

void HttpExchange::ask_mount() {
  if (!to_node.can_rewind()) return answer_maybe_acted();
  request.awaits_mount = true;
  request.lookups = 0;
  send_again(vault::Row::kUnknownMount);
}

void HttpExchange::answer_maybe_acted() {
  request.awaits_mount = false;
  mount_lookup.reset();
  act(vault::Row::kMaybeActed, nullptr, {});
}

// Whether the request may go to `target` as far as its mount is concerned. Otherwise it waits on, or has been answered.
bool HttpExchange::is_mount_settled(NodeId target) {
  if (!request.awaits_mount) return true;
  if (!mount_lookup) {
    note_effect();  // another request may have learned it
    if (request.effect != vault::Effect::kByMount) return settle_mount(effect_of_sent());
    look_up_mount(target);
    return false;
  }
  switch (mount_lookup->outcome()) {
    case MountLookup::Outcome::kUnderWay:
      if (mount_lookup->node() != target) mount_lookup.reset();
      return false;
    case MountLookup::Outcome::kKnown: {
      const vault::Effect effect = vault::effect_in(mount_lookup->mount(), request.path);
      if (const http::RequestHead* head = sent_head()) {
        front_.mounts().remember(head->header(vault::kNamespaceHeader).value_or(std::string_view{}),
                                 mount_lookup->mount(), front_.worker().now());
      }
      return settle_mount(effect);
    }
    case MountLookup::Outcome::kRefused:
      return settle_mount(vault::Effect::kOutside);
    case MountLookup::Outcome::kFailed:
      mount_lookup.reset();
      request.mount_failed_at = front_.worker().now();
      return request.lookups < kMaxLookups ? false : settle_mount(vault::Effect::kOutside);
  }
  return false;
}

void HttpExchange::look_up_mount(NodeId target) {
  const bool is_too_soon = request.lookups > 0 && front_.worker().now() - request.mount_failed_at < kLookupBackoff;
  if (is_too_soon || front_.mount_lookups() >= MountLookup::kMaxAtOnce) return;
  const http::RequestHead* head = sent_head();
  std::string question = head == nullptr ? std::string() : vault::mount_request(*head);
  if (question.empty()) {
    static_cast<void>(settle_mount(vault::Effect::kOutside));
    return;
  }
  ++request.lookups;
  mount_lookup = std::make_unique<MountLookup>(front_, target, std::move(question), connection_->preamble());
}

// REQUIRES: held
bool HttpExchange::settle_mount(vault::Effect effect) {
  mount_lookup.reset();
  request.effect = effect;
  if (effect == vault::Effect::kStorage) {
    request.awaits_mount = false;
    return true;
  }
  unhold();
  answer_maybe_acted();
  connection_->pump();
  return false;
}

}  // namespace bellwether::proxy
