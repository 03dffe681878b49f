#include "mount_check.h"

#include <utility>

#include "proxy/core/worker_core.h"

namespace bellwether::proxy {
namespace {

constexpr int kMaxLookups = 5;
constexpr Duration kLookupBackoff = 50ms;

// Ours adds headers to what the client may send.
http::HeadLimits sent_head_limits(const http::HeadLimits& limits) {
  constexpr std::size_t kOwnBytes = 64 * 1024;
  constexpr std::size_t kOwnHeaders = 64;
  return {limits.max_head_bytes + kOwnBytes, limits.max_headers + kOwnHeaders};
}

// As it was sent: what Connection stripped is not a token that the node has seen.
const http::RequestHead* head_of(const MountCheck::Sent& sent) {
  http::RequestHead& head = sent.scratch;
  const http::HeadLimits limits = sent_head_limits(sent.worker.options().head_limits);
  const auto parsed = http::parse_request_head(sent.queue.head(), limits, head);
  return parsed.status == http::ParseStatus::kDone ? &head : nullptr;
}

std::string_view namespace_of(const http::RequestHead& head) {
  return head.header(vault::kNamespaceHeader).value_or(std::string_view{});
}

}  // namespace

vault::Effect MountCheck::effect(const Sent& sent) {
  if (!effect_ && sent.queue.can_rewind()) note_effect(sent);
  return effect_.value_or(vault::Effect::kOutside);
}

void MountCheck::note_effect(const Sent& sent) {
  const http::RequestHead* head = head_of(sent);
  if (head == nullptr) return;
  effect_ = vault::effect_of(sent.path, *head);
  if (effect_ != vault::Effect::kByMount) return;
  const auto known = sent.mounts.table.effect_of(namespace_of(*head), sent.path, sent.worker.now());
  if (known) effect_ = *known;
}

void MountCheck::begin() {
  is_under_way_ = true;
  lookups_ = 0;
}

void MountCheck::end() {
  is_under_way_ = false;
  lookup_.reset();
}

MountCheck::Outcome MountCheck::look(const Sent& sent, NodeId target, const std::string& preamble) {
  if (!is_under_way_) return Outcome::kMayGo;
  if (lookup_) return look_at_answer(sent, target);
  note_effect(sent);  // another request may have learned it
  return effect_ == vault::Effect::kByMount ? ask(sent, target, preamble) : settle(effect(sent));
}

MountCheck::Outcome MountCheck::look_at_answer(const Sent& sent, NodeId target) {
  switch (lookup_->outcome()) {
    case MountLookup::Outcome::kUnderWay:
      if (lookup_->node() != target) lookup_.reset();
      return Outcome::kWaits;
    case MountLookup::Outcome::kKnown: {
      const vault::Mount& mount = lookup_->mount();
      const vault::Effect effect = vault::effect_in(mount, sent.path);
      const http::RequestHead* head = head_of(sent);
      if (head != nullptr) sent.mounts.table.remember(namespace_of(*head), mount, sent.worker.now());
      return settle(effect);
    }
    case MountLookup::Outcome::kRefused:
      return settle(vault::Effect::kOutside);
    case MountLookup::Outcome::kFailed:
      lookup_.reset();
      failed_at_ = sent.worker.now();
      return lookups_ < kMaxLookups ? Outcome::kWaits : settle(vault::Effect::kOutside);
  }
  return Outcome::kWaits;
}

MountCheck::Outcome MountCheck::ask(const Sent& sent, NodeId target, const std::string& preamble) {
  const bool is_too_soon = lookups_ > 0 && sent.worker.now() - failed_at_ < kLookupBackoff;
  if (is_too_soon || sent.mounts.lookups >= MountLookup::kMaxAtOnce) return Outcome::kWaits;
  const http::RequestHead* head = head_of(sent);
  std::string question = head == nullptr ? std::string() : vault::mount_request(*head);
  if (question.empty()) return settle(vault::Effect::kOutside);
  ++lookups_;
  lookup_ = std::make_unique<MountLookup>(sent.worker, sent.node_connections, sent.mounts,
                                          MountLookup::Question{target, std::move(question), preamble});
  return Outcome::kWaits;
}

MountCheck::Outcome MountCheck::settle(vault::Effect effect) {
  lookup_.reset();
  effect_ = effect;
  if (effect != vault::Effect::kStorage) return Outcome::kMayHaveActed;
  is_under_way_ = false;
  return Outcome::kMayGo;
}

}  // namespace bellwether::proxy
