#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "bellwether/base/ids.h"
#include "bellwether/base/time.h"
#include "bellwether/net/stream.h"

namespace bellwether::proxy {

// What a connection to a node tells whoever has borrowed it. See net::StreamHandler for what may be done in these.
class UpstreamUser {
 public:
  virtual void on_upstream_open() = 0;
  virtual void on_upstream_readable() = 0;
  virtual void on_upstream_writable() = 0;
  virtual void on_upstream_broken(net::StreamFailure failure) = 0;  // it never opened

 protected:
  ~UpstreamUser() = default;
};

class UpstreamPool;

// One connection to a node: borrowed by one exchange at a time, else idle in its pool, or opening there for nobody yet.
class Upstream final : public net::StreamHandler {
 public:
  Upstream(UpstreamPool& pool, NodeId node, std::uint32_t generation)
      : pool_(pool), node_(node), generation_(generation) {}

  void open(net::Loop& loop, const net::Address& to, net::ConnectOptions options);
  void lend(UpstreamUser* user) { user_ = user; }  // null: idle
  void shutdown_write() { stream_->shutdown_write(); }
  void close() { stream_->close(); }
  void abort() { stream_->abort(); }
  // Nothing has come that nobody asked for, and the node has not ended it. REQUIRES: idle.
  [[nodiscard]] bool is_quiet();

  [[nodiscard]] net::IoResult read(std::span<char> into) { return stream_->read(into); }
  [[nodiscard]] net::IoResult write(std::span<const char> from) { return stream_->write(from); }
  [[nodiscard]] bool is_open() const { return stream_->is_open(); }
  [[nodiscard]] NodeId node() const { return node_; }
  [[nodiscard]] std::uint32_t generation() const { return generation_; }

  TimePoint idle_since{};  // the pool's

  void on_open() override;
  void on_readable() override;
  void on_writable() override;
  void on_broken(Error error) override;

 private:
  UpstreamPool& pool_;
  UpstreamUser* user_ = nullptr;
  std::unique_ptr<net::Stream> stream_;
  NodeId node_;
  std::uint32_t generation_;  // of the node's connections, see UpstreamPool::outdate
};

}  // namespace bellwether::proxy
