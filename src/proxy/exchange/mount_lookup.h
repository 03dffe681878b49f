#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "bellwether/base/byte_queue.h"
#include "bellwether/base/ids.h"
#include "bellwether/base/time.h"
#include "bellwether/vault/mount.h"
#include "proxy/core/places.h"
#include "proxy/upstream/upstream.h"

namespace bellwether::proxy {

class NodeConnections;
class WorkerCore;

// What a worker knows of mounts.
struct MountBook {
  vault::MountTable table;  // mounts that nodes were asked about, for requests that were refused
  int lookups = 0;          // under way
  // A lookup has come to its end. Called from within its constructor and callbacks: only note it, and act later.
  std::function<void()> on_answer;

  explicit MountBook(std::function<void()> when_answered) : on_answer(std::move(when_answered)) {}
};

// One question to a node: which mount does a request's path lead to? Asked only after a refusal that may or may not be
// proof. Owned by the session that waits for it; one thread. Its outcome is polled: MountBook::on_answer tells when
// there is one. Dropping it closes the connection, unless the answer is complete.
class MountLookup final : public UpstreamUser {
 public:
  static constexpr Duration kTimeout = 1s;
  static constexpr int kMaxAtOnce = 2;  // of a worker: requests refused together mostly go to one mount

  enum class Outcome : std::uint8_t {
    kUnderWay,
    kKnown,    // mount() has it
    kRefused,  // the node answered, but not with a mount: it will not another time
    kFailed,   // no answer, or not from a node that leads: another node may know
  };

  struct Question {
    NodeId node;
    std::string request;
    const std::string& preamble;
  };
  MountLookup(WorkerCore& worker, NodeConnections& node_connections, MountBook& mounts, Question question);
  ~MountLookup();
  MountLookup(const MountLookup&) = delete;
  MountLookup& operator=(const MountLookup&) = delete;

  // kFailed once it has taken longer than kTimeout.
  [[nodiscard]] Outcome outcome() const;
  [[nodiscard]] NodeId node() const { return node_; }
  // REQUIRES: kKnown
  [[nodiscard]] const vault::Mount& mount() const { return *mount_; }

  void on_upstream_open() override;
  void on_upstream_readable() override;
  void on_upstream_writable() override;
  void on_upstream_broken(net::StreamFailure failure) override;

 private:
  void dial(const std::string& preamble);
  void write();
  void read();
  void parse(bool has_ended);
  void conclude(Outcome outcome);
  void release_upstream(bool is_reusable);

  WorkerCore& worker_;
  NodeConnections& node_connections_;
  MountBook& mounts_;
  NodeId node_;
  std::unique_ptr<Upstream> upstream_;
  std::string unsent_;
  ByteQueue received_;
  std::optional<vault::Mount> mount_;
  TimePoint began_;
  Counted dial_;
  Outcome outcome_ = Outcome::kUnderWay;
};

}  // namespace bellwether::proxy
