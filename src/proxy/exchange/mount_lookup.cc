#include "mount_lookup.h"

#include <utility>

#include "bellwether/http/body.h"
#include "proxy/core/worker_core.h"
#include "proxy/upstream/node_connections.h"

namespace bellwether::proxy {
namespace {

constexpr std::size_t kMaxAnswer = 64 * 1024;

// The node's 307, 429 and 5xx are about itself; 4xx are about the path and the token.
bool is_final(int status) { return status == 200 || (status >= 400 && status < 500 && status != 429); }

}  // namespace

MountLookup::MountLookup(WorkerCore& worker, NodeConnections& node_connections, MountBook& mounts, Question question)
    : worker_(worker),
      node_connections_(node_connections),
      mounts_(mounts),
      node_(question.node),
      unsent_(std::move(question.request)),
      began_(worker.now()) {
  ++mounts_.lookups;
  upstream_ = node_connections_.take(node_, *this);
  upstream_ ? write() : dial(question.preamble);
}

void MountLookup::dial(const std::string& preamble) {
  upstream_ = node_connections_.open(node_, preamble, this);
  if (!upstream_) return conclude(Outcome::kFailed);
  dial_ = worker_.dials().place();
}

MountLookup::~MountLookup() {
  release_upstream(false);
  --mounts_.lookups;
}

MountLookup::Outcome MountLookup::outcome() const {
  const bool is_late = outcome_ == Outcome::kUnderWay && worker_.now() - began_ >= kTimeout;
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
  const auto buffer = worker_.pool().buffer(RelayPool::kReadSize);
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
      http::parse_response_head(received_.view(), "GET", worker_.options().head_limits, head);
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
  mounts_.on_answer();
}

void MountLookup::release_upstream(bool is_reusable) {
  dial_.reset();
  if (!upstream_) return;
  is_reusable ? node_connections_.give_back(std::move(upstream_)) : node_connections_.discard(std::move(upstream_));
}

}  // namespace bellwether::proxy
