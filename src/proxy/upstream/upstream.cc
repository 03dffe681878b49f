#include "upstream.h"

#include <array>
#include <utility>

#include "upstream_pool.h"

namespace bellwether::proxy {

void Upstream::open(net::Loop& loop, const net::Address& to, net::ConnectOptions options) {
  stream_ = net::Stream::connect(loop, to, std::move(options), *this);
}

bool Upstream::is_quiet() {
  std::array<char, 1> byte;
  return stream_->is_open() && stream_->read(byte).status == net::IoStatus::kAgain;
}

void Upstream::on_open() { user_ != nullptr ? user_->on_upstream_open() : pool_.on_warm(*this, true); }

void Upstream::on_readable() {
  if (user_ != nullptr) return user_->on_upstream_readable();
  // The end, or an answer to nothing that we asked: either way it is of no more use. TLS also has news of its own.
  if (!is_quiet()) pool_.drop(*this);
}

void Upstream::on_writable() {
  if (user_ != nullptr) user_->on_upstream_writable();
}

void Upstream::on_broken(Error) {
  user_ != nullptr ? user_->on_upstream_broken(stream_->failure()) : pool_.on_warm(*this, false);
}

}  // namespace bellwether::proxy
