#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "bellwether/base/ids.h"
#include "bellwether/base/time.h"
#include "bellwether/cluster/route.h"
#include "bellwether/http/head.h"
#include "bellwether/vault/retry.h"
#include "exchange.h"
#include "proxy/core/end_reason.h"
#include "proxy/core/hold.h"
#include "proxy/core/init_guard.h"
#include "proxy/upstream/upstream.h"

namespace bellwether::proxy {

class HttpConnection;
class HttpFront;

// What is done with one request of a client connection in http mode: routed, held, sent to a node, sent again after a
// proof, answered, counted. Borrowed by its connection from the front's pool; it may go back there in each
// HttpConnection::pump(), and in nothing else. Used on its worker's thread only.
class HttpExchange final : private Exchange, public UpstreamUser, public WaitLink {
 public:
  static constexpr std::size_t kAhead = 64 * 1024;  // of what a receiver has not taken yet
  // ... of a body, and as much of it is read ahead: many may upload at once
  static constexpr std::size_t kBodyAhead = 32 * 1024;

  enum class Stage : std::uint8_t {
    kHead,      // its head is not whole yet, or where it goes is not decided
    kHeld,      // waits for a node
    kAtNode,    // has a connection to a node, or dials one
    kTunnel,    // after a 101
    kAnswered,  // but for what the client has not taken yet
    kOver,      // with its connection
  };

  explicit HttpExchange(HttpFront& front) : front_(front) {}

  // For its connection.
  void bind(HttpConnection& connection) { connection_ = &connection; }
  void restart();  // as Exchange::restart()
  [[nodiscard]] Stage stage() const { return stage_; }
  [[nodiscard]] Phase phase() const;
  [[nodiscard]] ByteQueue& input() { return in; }  // from the client, not looked at yet
  [[nodiscard]] ByteQueue& output() { return to_client; }
  void start(const http::RequestHead& head);  // of which the bytes are in input(), and leave it
  void reject(http::Reject reason);
  void refuse_late_head(TimePoint since);
  bool step();  // one round of what can be done with a node; false if nothing could
  void step_ends();
  bool on_tick(TimePoint now);  // whether there is something to be pumped now
  void count_down(std::size_t bytes);
  void tell();
  void cut(EndReason reason);  // with its connection
  void cut_waiting();          // ... because it waits for the client, or for the node, for too long
  [[nodiscard]] bool takes_body() const { return stage_ == Stage::kAtNode && !request_body.done(); }
  [[nodiscard]] bool waits_for_client() const;
  // The client has ended its side. It still gets the answer to what it sent, unless that waits, has no end or is not
  // whole.
  [[nodiscard]] bool cannot_be_answered() const;
  [[nodiscard]] bool is_last() const { return answer.is_last; }  // the connection ends behind it
  [[nodiscard]] EndReason end_reason() const { return request.end; }

  // For the front. Any of these may end both, and pumps by itself where there is something to be done.
  void on_fence();
  void on_view();
  // Its node was replaced and hangs: what it was asked will not be answered.
  void end_if_hung();
  [[nodiscard]] std::optional<NodeId> waits_long_for(TimePoint now) const;
  // REQUIRES: held
  [[nodiscard]] bool may_send() const;
  void leave_hold(NodeId target);
  // Whether nothing about its mount keeps it from being sent to `target`. May answer it. REQUIRES: held
  [[nodiscard]] bool is_mount_settled(NodeId target);
  [[nodiscard]] TimePoint asked_at() const { return attempt.all_sent_at; }
  void say_unanswered();
  // When the answer came that waits for a claim.
  [[nodiscard]] TimePoint answered_at() const { return attempt.answered_at; }
  void on_confirmed();

  void on_upstream_open() override;
  void on_upstream_readable() override;
  void on_upstream_writable() override;
  void on_upstream_broken(net::StreamFailure failure) override;

 private:
  // http_exchange.cc
  void become(Stage next);
  bool take_body();
  [[nodiscard]] bool has_left_while_held() const;
  void queue_body(std::string_view content);
  void refuse_body(http::Reject reason);
  [[nodiscard]] std::size_t shrink_buffers();

  // http_route.cc: to whom it goes, and what it waits for
  void dispatch();
  [[nodiscard]] cluster::RouteRequest route_request() const;
  void follow(const cluster::Route& route, const cluster::RouteRequest& wanted);
  [[nodiscard]] bool needs_no_leader() const;
  [[nodiscard]] bool is_bootstrap_now() const;
  bool has_gone_on_with_view();
  bool leave_unfit_node();
  void bootstrap(const cluster::RouteRequest& wanted);
  void begin_init();
  void end_init(InitGuard::Outcome outcome);
  void hold();
  void unhold();
  [[nodiscard]] bool take_hold_place();
  void refuse_hold(std::string_view why);
  bool undial();
  void send_again(vault::Row row);
  [[nodiscard]] MountCheck::Sent sent() const { return {front_, to_node, request.path}; }
  void check_mount();
  void answer_maybe_acted();

  // http_attempt.cc: one sending of it to a node
  void begin_attempt(NodeId node);
  void drop_upstream();
  void give_upstream_back();
  void let_others_knock();
  void note_answered();
  bool write_node();
  bool write_to_node(std::string_view bytes);
  void abandon_attempt();
  void note_sent(std::size_t bytes);
  bool read_node();
  void attempt_failed(vault::Failure failure);

  // http_answer.cc: what comes back
  bool take_answer();
  bool relay_body();
  bool judge_final(const http::ResponseHead& head);
  [[nodiscard]] bool is_behind_index(const http::ResponseHead& head) const;
  void act(vault::Row row, const http::ResponseHead* head, std::string_view body);
  void start_answer(const http::ResponseHead& head);
  void finish_answer();
  void cut_answer(EndReason reason);
  void answer_ambiguous(vault::Row row, std::string_view body);
  void answer_unserved(std::string_view why, EndReason reason, int status = 503);
  void respond(int status, std::string_view why, bool may_keep_alive);

  // http_fresh.cc: answers that wait until the leader has confirmed that it leads
  [[nodiscard]] bool must_be_confirmed(const http::ResponseHead& head) const;
  [[nodiscard]] bool is_unconfirmed() const { return attempt.answered_at != kNever; }
  [[nodiscard]] bool is_of_leader() const;
  void await_claim();
  void stop_awaiting_claim();
  void end_unconfirmed();

  // http_tunnel.cc: both ways at once
  void start_tunnel(const http::ResponseHead& head);
  bool step_tunnel();
  void end_tunnel();

  // http_times.cc: what lasts too long
  void look_at_times(TimePoint now);
  void on_hold_tick(TimePoint now);
  void on_attempt_tick(TimePoint now);
  void cut_idle();
  void cut_stream_if_due(TimePoint now);
  void end_silent_stream_if_due(TimePoint now);

  // http_account.cc: what becomes of it, counted and told
  void open_account();
  // It has its outcome. `status`: what the client was told; 0: nothing.
  void settle(Outcome outcome, int status, EndReason reason);
  void fail_request(Outcome outcome, int status, std::string_view why, EndReason reason);
  void settle_unfinished(EndReason reason);
  void note_alive();
  void count_status(int status);
  void count_up(std::size_t bytes);
  [[nodiscard]] EndReason reason_of(vault::Row row) const;

  HttpFront& front_;
  HttpConnection* connection_ = nullptr;  // its borrower
  std::unique_ptr<Upstream> upstream_;
  Stage stage_ = Stage::kHead;
};

}  // namespace bellwether::proxy
