#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bellwether/base/byte_queue.h"
#include "bellwether/base/ids.h"
#include "bellwether/base/time.h"
#include "bellwether/cluster/observation.h"
#include "bellwether/http/body.h"
#include "bellwether/http/forward.h"
#include "bellwether/http/head.h"
#include "bellwether/proxy/proxy.h"
#include "bellwether/vault/request_class.h"
#include "bellwether/vault/retry.h"
#include "mount_check.h"
#include "proxy/core/end_reason.h"
#include "proxy/core/places.h"
#include "responder.h"
#include "send_queue.h"

namespace bellwether::proxy {

inline constexpr std::size_t kAhead = 64 * 1024;  // of what a receiver has not taken yet
// ... of a body, and as much of it is read ahead: many may upload at once
inline constexpr std::size_t kBodyAhead = 32 * 1024;
// A stream that has nothing to tell yet has no answer head either. What merely has such a path is answered before that.
inline constexpr Duration kSilentStream = 1s;

// What is kept of a request once its head went into the send queue.
struct Request {
  std::string method;
  std::string path;
  std::string head_without_expect;  // empty if it expects nothing
  http::Version version = http::Version::kHttp11;
  http::BodyKind body_kind = http::BodyKind::kNone;
  vault::RequestClass request_class = vault::RequestClass::kData;
  bool keep_alive = true;
  bool states_index = false;  // vault/consistency.h
  bool is_websocket = false;
  bool was_continued = false;  // it expected a 100 and got it, or did not wait for it
  bool was_held = false;
  bool is_open = false;  // not settled yet
  int sends = 0;
  TimePoint asked{};
  Duration held{};
  // For the access log.
  bool is_untold = false;  // settled, and its line is owed
  Outcome outcome = Outcome::kOk;
  EndReason end;
  int status = 0;
  std::string_view rejected;
  std::string id;   // of one that fails
  std::string why;  // ... what happened
  std::optional<vault::Row> row;
  std::optional<Duration> upstream;
  std::uint64_t bytes_up = 0;
  std::uint64_t bytes_down = 0;
  bool is_ui_question = false;  // asked by the UI before anybody has logged in
  bool is_for_leader = true;    // else for the node itself that it is sent to
  bool is_init = false;         // the attempt is one that InitGuard was asked for
  bool names_node = false;      // a Responder has answered with the attempt's node, which was sent nothing
  std::vector<NodeId> tried;    // of those that are not for the leader
  std::unique_ptr<const RequestTarget> target;  // for the Responder; null: the request goes to a node
};

// How the node ended its side of the connection.
enum class NodeEnd : std::uint8_t { kNone, kOrderly, kBroken };

// One sending of a request.
struct Attempt {
  NodeId node{};
  Epoch epoch = 0;
  cluster::Role role = cluster::Role::kUnknown;
  vault::StandbyConduct conduct = vault::StandbyConduct::kUnknown;
  TimePoint began{};
  TimePoint active{};  // when the node last took or gave a byte
  TimePoint heard{};   // when it last gave one
  TimePoint all_sent_at = kNever;
  TimePoint answered_at = kNever;  // only while the answer waits for a claim
  TimePoint end_told_at = kNever;  // when the node was told of the end of a tunnel's client
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  int interim = 0;  // answers of 1xx
  http::HeadSearch answer_search;
  Counted dial;     // while it connects, and then until the node answers or is late
  Counted at_node;  // in the node's gauge
  bool is_connecting = false;
  bool is_fresh = false;  // over a connection made for it
  bool can_read = false;
  bool can_write = false;
  bool write_broken = false;
  NodeEnd ended = NodeEnd::kNone;

  // Its place among the dials is another's from here on.
  void let_others_knock() { dial.reset(); }
};

// That the last attempt executed nothing.
struct Proof {
  TimePoint at{};
  NodeId node{};
  Epoch epoch = 0;
  Duration pause{};               // before the same node may get the request again
  bool is_for_same_node = false;  // it may take the request when it is sent again
};

// The answer, once it is known to be the client's.
struct Answer {
  bool has_begun = false;
  bool node_keeps_alive = false;
  bool is_last = false;  // the client's connection ends behind it
  int status = 0;
  http::ResponseFraming framing;
};

// Where a request stands.
enum class Stage : std::uint8_t {
  kHead,          // its head is not whole yet, or where it goes is not decided
  kHeld,          // waits for a node
  kAtNode,        // has a connection to a node, or dials one
  kTunnel,        // after a 101
  kDroppingBody,  // answered by a Responder; the rest of the request's body is read and dropped, and the connection
                  // goes on
  kAnswered,      // but for what the client has not taken yet
  kOver,          // with its connection
};

// What is known of one exchange: a request of a client's HTTP/1.1 connection and all that is needed for it, from its
// first byte until its answer has left. A connection that is idle has none.
struct Exchange {
  ByteQueue in;         // from the client, not yet looked at
  SendQueue to_node;    // the request
  ByteQueue from_node;  // not yet looked at
  ByteQueue to_client;
  Request request;
  http::BodyReader request_body;
  HoldPlace hold_place;
  MountCheck mount_check;
  Attempt attempt;
  Proof proof;
  Answer answer;
  http::BodyReader answer_body;

  [[nodiscard]] Stage stage() const { return stage_; }
  void become(Stage next);  // aborts on a step that is none
  [[nodiscard]] Phase phase() const;
  // The client does not go on with its request's body, or does not read its answer.
  [[nodiscard]] bool waits_for_client() const;
  // The client has ended its side. It still gets the answer to what it sent, unless that waits, has no end or is not
  // whole.
  [[nodiscard]] bool cannot_be_answered() const;
  // More of the request's body may come now: for a node; or nobody wants it.
  [[nodiscard]] bool takes_body() const { return (stage_ == Stage::kAtNode && !request_body.done()) || drops_body(); }
  [[nodiscard]] bool drops_body() const;
  // ... and the answer has left.
  [[nodiscard]] bool has_only_body_to_come() const { return stage_ == Stage::kDroppingBody && to_client.empty(); }
  // The node that its request has been waiting for, for `most` or longer.
  [[nodiscard]] std::optional<NodeId> waits_for_node(TimePoint now, Duration most) const;
  // Gives back what the buffers do not use. Returns what is left of them, and of all that goes with a request that
  // waits.
  [[nodiscard]] std::size_t shrink();
  // For the next request, of which `in` may hold a part. Keeps some memory. REQUIRES: the answer has left
  void restart();

 private:
  Stage stage_ = Stage::kHead;
};

// Exchanges of a worker between two requests, with the memory of their buffers: a few, for those who ask next.
template <typename AnyExchange>
class ExchangePool {
 public:
  static constexpr std::size_t kKept = 32;

  // `arguments`: for a new one.
  template <typename... Arguments>
  [[nodiscard]] std::unique_ptr<AnyExchange> take(Arguments&&... arguments) {
    if (spare_.empty()) return std::make_unique<AnyExchange>(std::forward<Arguments>(arguments)...);
    auto exchange = std::move(spare_.back());
    spare_.pop_back();
    return exchange;
  }
  // REQUIRES: the answer has left, and nothing of a next request has come
  void give_back(std::unique_ptr<AnyExchange> exchange) {
    exchange->restart();
    if (spare_.size() < kKept) spare_.push_back(std::move(exchange));
  }
  [[nodiscard]] std::size_t size() const { return spare_.size(); }

 private:
  std::vector<std::unique_ptr<AnyExchange>> spare_;
};

}  // namespace bellwether::proxy
