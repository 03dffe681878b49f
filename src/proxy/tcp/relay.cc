#include "relay.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "bellwether/base/assert.h"
#include "proxy/core/dialogue.h"

namespace bellwether::proxy {

bool Channel::has_unread() const {
  std::array<char, 1> byte;
  return socket.peek(byte).status == net::IoStatus::kOk;
}

bool Channel::was_reset_unseen() {
  return std::exchange(may_hide_reset, false) && socket.peer_state() == net::PeerState::kGone;
}

void Flow::deliver_first(std::string_view bytes) {
  BW_ASSERT(!kept_ && bytes_ == 0);
  if (!bytes.empty()) keep(bytes);
}

Flow::Progress Flow::pump(Channel& from, Channel& to, RelayPool& pool, bool pass_end) {
  moved_ = 0;
  is_aside_ = false;
  Step step = ended_ ? Step::kWait : Step::kGoOn;
  while (step == Step::kGoOn && moved_ < kBudget) {
    if (kept_) {
      step = write_kept(to);
    } else if (in_pipe_ > 0) {
      step = write_pipe(to);
    } else if (source_ended_) {
      step = Step::kEnd;
    } else if (!from.readable) {
      step = Step::kWait;
    } else if (big_reads_ < kBulkAfter || !pool.can_splice() || (!pipe_ && !(pipe_ = pool.take_pipe()))) {
      step = copy(from, to, pool);
    } else {
      step = splice(from, to, pool);
    }
  }
  if (pipe_ && in_pipe_ == 0) pool.give_back(std::exchange(pipe_, nullptr));
  switch (step) {
    case Step::kGoOn:
      return {Outcome::kBudgetSpent, moved_, is_aside_};
    case Step::kWait:
      return {Outcome::kWaiting, moved_, is_aside_};
    case Step::kEnd:
      ended_ = true;
      if (pass_end) to.socket.shutdown_write();
      return {Outcome::kEnded, moved_, is_aside_};
    case Step::kReadFailed:
      return {Outcome::kReadFailed, moved_, is_aside_};
    case Step::kWriteFailed:
      return {Outcome::kWriteFailed, moved_, is_aside_};
  }
  return {};
}

void Flow::release(RelayPool& pool) {
  if (pipe_) pool.discard(std::exchange(pipe_, nullptr));
  kept_.reset();
  in_pipe_ = 0;
}

Flow::Step Flow::write_kept(Channel& to) {
  if (!to.writable) return Step::kWait;
  const net::IoResult wrote = to.socket.write({kept_->data.get() + kept_->begin, kept_->end - kept_->begin});
  if (wrote.status == net::IoStatus::kAgain) {
    to.writable = false;
    return Step::kWait;
  }
  if (wrote.status != net::IoStatus::kOk) return Step::kWriteFailed;
  count(wrote.bytes);
  kept_->begin += wrote.bytes;
  if (kept_->begin < kept_->end) {
    to.writable = false;
    return Step::kWait;
  }
  kept_.reset();
  return Step::kGoOn;
}

Flow::Step Flow::copy(Channel& from, Channel& to, RelayPool& pool) {
  const std::span<char> buffer = pool.buffer(big_reads_ < kBulkAfter ? RelayPool::kReadSize : RelayPool::kBulkReadSize);
  const net::IoResult read = from.socket.read(buffer);
  if (read.status != net::IoStatus::kOk) return on_read_ended(read, from);
  judge(read.bytes);
  is_aside_ = moved_ == 0 && is_tls_aside(buffer.data(), read.bytes);
  if (hello_ != nullptr) hello_->feed(buffer.first(read.bytes));
  // After a short read the next bytes, or the end, come with an edge of their own; a reset need not.
  if (read.bytes < buffer.size() && !from.closed) {
    from.readable = false;
    from.may_hide_reset = true;
  }

  std::size_t sent = 0;
  if (to.writable) {
    const net::IoResult wrote = to.socket.write(buffer.first(read.bytes));
    if (wrote.status == net::IoStatus::kOk) {
      sent = wrote.bytes;
    } else if (wrote.status != net::IoStatus::kAgain) {
      return Step::kWriteFailed;
    }
  }
  count(sent);
  if (sent == read.bytes) return Step::kGoOn;
  to.writable = false;
  keep(buffer.subspan(sent, read.bytes - sent));
  return Step::kWait;
}

Flow::Step Flow::splice(Channel& from, Channel& to, RelayPool& pool) {
  const net::IoResult read = from.socket.splice_to_pipe(pipe_->write_fd(), RelayPool::kBulkReadSize);
  if (read.status == net::IoStatus::kError && (read.error == EINVAL || read.error == ENOSYS)) {
    pool.stop_splicing();
    return Step::kGoOn;
  }
  // The pipe is empty here, so that kAgain can only speak of the socket.
  if (read.status != net::IoStatus::kOk) return on_read_ended(read, from);
  judge(read.bytes);
  in_pipe_ = read.bytes;
  return write_pipe(to);
}

Flow::Step Flow::write_pipe(Channel& to) {
  if (!to.writable) return Step::kWait;
  const net::IoResult wrote = to.socket.splice_from_pipe(pipe_->read_fd(), in_pipe_);
  if (wrote.status == net::IoStatus::kAgain) {
    to.writable = false;
    return Step::kWait;
  }
  if (wrote.status != net::IoStatus::kOk) return Step::kWriteFailed;
  in_pipe_ -= wrote.bytes;
  count(wrote.bytes);
  return Step::kGoOn;
}

Flow::Step Flow::on_read_ended(const net::IoResult& read, Channel& from) {
  from.readable = false;
  if (read.status == net::IoStatus::kAgain) return Step::kWait;
  if (read.status == net::IoStatus::kError) return Step::kReadFailed;
  source_ended_ = true;
  return Step::kGoOn;
}

void Flow::keep(std::span<const char> bytes) {
  kept_ = std::make_unique<Kept>();
  kept_->data = std::make_unique<char[]>(bytes.size());
  kept_->end = bytes.size();
  std::memcpy(kept_->data.get(), bytes.data(), bytes.size());
}

void Flow::count(std::size_t bytes) {
  moved_ += bytes;
  bytes_ += bytes;
}

// Splice pays for big reads only: small ones cost two calls more.
void Flow::judge(std::size_t read_bytes) {
  if (read_bytes >= kBig) {
    big_reads_ = static_cast<std::uint8_t>(std::min<int>(big_reads_ + 1, kBulkAfter + 4));
  } else if (big_reads_ > 0) {
    --big_reads_;
    if (big_reads_ < kBulkAfter) big_reads_ = 0;
  }
}

}  // namespace bellwether::proxy
