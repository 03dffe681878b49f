#include "mount_lookup.h"

#include <utility>

#include "bellwether/http/body.h"
#include "http_front.h"
#include "proxy/core/worker_core.h"

namespace bellwether::proxy {
namespace {

constexpr std::size_t kMaxAnswer = 64 * 1024;

// The node's 307, 429 and 5xx are about itself; 4xx are about the path and the token.
bool is_final(int status) { return status == 200 || (status >= 400 && status < 500 && status != 429); }

}  // namespace

MountLookup::MountLookup(HttpFront& front, NodeId node, std::string request, const std::string& preamble)
    : front_(front), node_(node), unsent_(std::move(request)), began_(front.worker().now()) {
  ++front_.mount_lookups();
  if (front_.shares_upstreams()) upstream_ = front_.pool().take(node);
  if (upstream_) {
    upstream_->lend(this);
    write();
  } else {
    dial(preamble);
  }
}

void MountLookup::dial(const std::string& preamble) {
  upstream_ = front_.open_upstream(node_, preamble, this);
  if (!upstream_) return conclude(Outcome::kFailed);
  dial_ = front_.worker().dials().place();
}

MountLookup::~MountLookup() {
  release_upstream(false);
  --front_.mount_lookups();
}

MountLookup::Outcome MountLookup::outcome() const {
  const bool is_late = outcome_ == Outcome::kUnderWay && front_.worker().now() - began_ >= kTimeout;
  return is_late ? Outcome::kFailed : outcome_;
}

void MountLookup::on_upstream_open() {
  dial_.reset();
  write();
}

void MountLookup::on_upstream_readable() { read(); }

void MountLookup::on_upstream_writable() { write(); }

void MountLookup::on_upstream_broken(net::StreamFailure) { conclude(Outcome::kFailed); }

void MountLookup::write() {
  while (upstream_ && !unsent_.empty()) {
    const net::IoResult wrote = upstream_->write(unsent_);
    if (wrote.status == net::IoStatus::kError) return conclude(Outcome::kFailed);
    if (wrote.status != net::IoStatus::kOk) return;
    unsent_.erase(0, wrote.bytes);
  }
}

void MountLookup::read() {
  const auto buffer = front_.worker().pool().buffer(RelayPool::kReadSize);
  while (outcome_ == Outcome::kUnderWay) {
    const net::IoResult got = upstream_->read(buffer);
    if (got.status == net::IoStatus::kAgain) return;
    if (got.status == net::IoStatus::kError) return conclude(Outcome::kFailed);
    if (got.status == net::IoStatus::kOk) received_.append({buffer.data(), got.bytes});
    parse(got.status == net::IoStatus::kEof);
  }
}

void MountLookup::parse(bool has_ended) {
  if (received_.size() > kMaxAnswer) return conclude(Outcome::kRefused);
  http::ResponseHead head;
  const http::ParseOutcome parsed =
      http::parse_response_head(received_.view(), "GET", front_.worker().options().head_limits, head);
  if (parsed.status == http::ParseStatus::kNeedMore && !has_ended) return;
  if (parsed.status != http::ParseStatus::kDone || !is_final(head.status)) return conclude(Outcome::kFailed);
  http::BodyReader reader(head.body);
  std::string body;
  std::string_view rest = received_.view().substr(head.bytes);
  while (!reader.done()) {
    const http::BodyReader::Bite bite = reader.feed(rest);
    if (bite.status == http::ParseStatus::kRejected) return conclude(Outcome::kFailed);
    if (bite.consumed == 0) break;
    body += bite.content;
    rest.remove_prefix(bite.consumed);
  }
  const bool is_whole = reader.done() || (has_ended && reader.complete_at_end());
  if (!is_whole) return has_ended ? conclude(Outcome::kFailed) : void();
  mount_ = vault::parse_mount(head.status, body);
  release_upstream(head.keep_alive && rest.empty() && !has_ended);
  conclude(mount_ ? Outcome::kKnown : Outcome::kRefused);
}

void MountLookup::conclude(Outcome outcome) {
  outcome_ = outcome;
  release_upstream(false);
  front_.release_soon();
}

void MountLookup::release_upstream(bool is_reusable) {
  dial_.reset();
  if (!upstream_) return;
  if (is_reusable && front_.shares_upstreams() && front_.worker().nodes().standing(node_) == Standing::kKeep) {
    front_.pool().give_back(std::move(upstream_));
  } else {
    front_.pool().discard(std::move(upstream_));
  }
}

}  // namespace bellwether::proxy
