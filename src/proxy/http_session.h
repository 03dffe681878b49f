#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bellwether/base/ids.h"
#include "bellwether/base/time.h"
#include "bellwether/cluster/route.h"
#include "bellwether/http/head.h"
#include "bellwether/net/stream.h"
#include "bellwether/proxy/proxy.h"
#include "bellwether/vault/request_class.h"
#include "bellwether/vault/retry.h"
#include "bellwether/wire/idleness.h"
#include "client_identity.h"
#include "end_reason.h"
#include "exchange.h"
#include "hold.h"
#include "init_guard.h"
#include "upstream.h"

namespace bellwether::proxy {

struct Accepted;
class HttpFront;

// One client connection in http mode: one request after the other, each with an exchange of its own at a node. Owned by
// its front's table; used on its thread only; destroyed at the end of a turn.
class HttpSession final : public net::StreamHandler, public UpstreamUser, public WaitLink {
 public:
  HttpSession(HttpFront& front, Accepted accepted);

  // From the front. Any of these may end it.
  void on_tick(TimePoint now);
  void on_fence();
  void on_view();
  // Its node was replaced and hangs: what it was asked will not be answered.
  void end_if_hung();
  // If it waits for its client: what for, and since when.
  void collect_idle(std::vector<wire::IdleConnection>& into);
  // Worth it only while shutting down: true if it had nothing to ask, and was told to go.
  bool send_away_if_idle(TimePoint now);
  void pump();  // does all that can be done now
  void end(EndReason reason);
  // REQUIRES: held
  [[nodiscard]] bool may_send() const;
  void leave_hold(NodeId target);
  // Whether nothing about its mount keeps it from being sent to `target`. May answer it. REQUIRES: held
  [[nodiscard]] bool is_mount_settled(NodeId target);
  [[nodiscard]] Phase phase() const;
  [[nodiscard]] TimePoint asked_at() const { return request_sent_at_; }
  // When the answer came that waits for a claim.
  [[nodiscard]] TimePoint answered_at() const { return answered_at_; }
  void on_confirmed();
  void say_unanswered();
  [[nodiscard]] std::optional<NodeId> waits_long_for(TimePoint now) const;

  void on_open() override;
  void on_readable() override;
  void on_writable() override;
  void on_broken(Error error) override;
  void on_upstream_open() override;
  void on_upstream_readable() override;
  void on_upstream_writable() override;
  void on_upstream_broken(net::StreamFailure failure) override;

  std::size_t table_index = 0;  // the table's
  bool is_postponed = false;    // the front's

 private:
  static constexpr std::size_t kAhead = 64 * 1024;  // of what a receiver has not taken yet
  static constexpr std::size_t kBodyAhead =
      32 * 1024;  // ... of a body, and as much of it is read ahead: many may upload at once
  // What a read or a write costs of a turn's budget at the least: a TLS record may hold a single byte.
  static constexpr std::size_t kLeastCharge = 1024;

  enum class State : std::uint8_t {
    kReading,   // waits for a request head
    kHeld,      // has one, waits for a node
    kExchange,  // has a connection to a node, or dials one
    kFlushing,  // its answer is complete but for what the client has not taken yet
    kTunnel,    // after a 101
    kLinger,    // all is said, our side is shut: waits for the client to close
    kEnded,
  };
  // Of all requests of this connection.
  struct Sum {
    Duration held{};
    Duration connecting{};
    std::uint64_t bytes_up = 0;
    std::uint64_t bytes_down = 0;
    std::optional<NodeId> node;  // of the last attempt
    Epoch epoch = 0;             // ... its epoch
  };
  // http_session.cc: the client's side
  bool step();
  void charge_turn(std::size_t bytes) { moved_ += std::max(bytes, kLeastCharge); }
  bool read_client();
  void take_input(std::string_view bytes);
  // Of what the client has sent: not looked at yet.
  [[nodiscard]] std::size_t unread_bytes() const { return exchange_ ? exchange_->in.size() : 0; }
  [[nodiscard]] bool cannot_be_answered() const;
  bool write_client();
  bool take_request();
  void start_request(const http::RequestHead& head);
  void append_upstream_head(std::string& out, const http::RequestHead& head, bool omits_expect) const;
  void reject(http::Reject reason);
  void finish_flush();
  void linger(EndReason reason);
  void next_request();
  void end_exchange();
  void cut_exchange(EndReason reason);
  void client_left();
  void look_at_peer();
  [[nodiscard]] std::size_t input_limit() const;
  [[nodiscard]] std::size_t shrink_buffers();

  // http_account.cc: what becomes of requests, counted and told
  void open_account();
  // The request has its outcome. `status`: what the client was told; 0: nothing.
  void settle(Outcome outcome, int status, EndReason reason);
  void settle_unfinished(EndReason reason);
  void note_alive();
  void count_status(int status);
  void count_up(std::size_t bytes);
  void count_down(std::size_t bytes);
  void refuse_late_head();
  void tell_request();
  void tell_session(EndReason reason);
  [[nodiscard]] EndReason reason_of(vault::Row row) const;

  // http_times.cc: what lasts too long
  void look_at_times(TimePoint now);
  void on_exchange_tick(TimePoint now);
  void cut_idle();
  void cut_waiting();
  bool make_room();
  [[nodiscard]] bool is_silent() const;
  [[nodiscard]] bool waits_for_client() const;
  void cut_stream_if_due(TimePoint now);
  void end_silent_stream_if_due(TimePoint now);

  // http_route.cc: to whom a request goes, and what it waits for
  void dispatch();
  [[nodiscard]] cluster::RouteRequest route_request() const;
  void follow(const cluster::Route& route, const cluster::RouteRequest& wanted);
  [[nodiscard]] bool needs_no_leader() const;
  [[nodiscard]] bool is_bootstrap_now() const;
  void leave_unfit_node();
  void bootstrap(const cluster::RouteRequest& wanted);
  void begin_init();
  void end_init(InitGuard::Outcome outcome);
  void hold();
  void unhold();
  [[nodiscard]] bool take_hold_place();
  void refuse_hold(std::string_view why);
  void undial();
  void send_again(vault::Row row);

  // http_mount.cc: what a request that was refused may have touched
  [[nodiscard]] const http::RequestHead* sent_head();
  [[nodiscard]] http::HeadLimits sent_head_limits() const;
  [[nodiscard]] vault::Effect effect_of_sent();
  void note_effect();
  void ask_mount();
  void look_up_mount(NodeId target);
  [[nodiscard]] bool settle_mount(vault::Effect effect);
  void answer_maybe_acted();

  // http_exchange.cc: its way there
  void begin_attempt(NodeId node);
  void drop_upstream();
  void note_answered();
  void let_others_knock();
  bool exchange_step();
  bool take_body();
  [[nodiscard]] bool has_left_while_held() const;
  void queue_body(std::string_view content);
  void refuse_body(http::Reject reason);
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
  void give_upstream_back();
  void answer_ambiguous(vault::Row row, std::string_view body);
  void answer_unserved(std::string_view why, EndReason reason, int status = 503);
  void fail_request(Outcome outcome, int status, std::string_view why, EndReason reason);
  void respond(int status, std::string_view why, bool may_keep_alive);

  // http_fresh.cc: answers that wait until the leader has confirmed that it leads
  [[nodiscard]] bool must_be_confirmed(const http::ResponseHead& head) const;
  [[nodiscard]] bool is_unconfirmed() const { return answered_at_ != kNever; }
  [[nodiscard]] bool is_of_leader() const;
  void await_claim();
  void stop_awaiting_claim();
  void end_unconfirmed();

  // http_tunnel.cc: both ways at once
  void start_tunnel(const http::ResponseHead& head);
  bool tunnel_step();
  void tunnel_step_ends();
  void end_tunnel();

  HttpFront& front_;
  std::unique_ptr<net::Stream> client_;
  std::string client_host_;
  ClientIdentity identity_;
  std::string client_name_;  // with its port; only if it may be logged
  std::string preamble_;
  std::unique_ptr<Exchange> exchange_;  // null: idle, or at its end
  std::unique_ptr<Upstream> upstream_;
  Sum sum_;
  http::LeadingLine leading_line_;
  http::HeadSearch head_search_;
  TimePoint started_;
  TimePoint last_active_;
  TimePoint header_since_{};
  TimePoint linger_since_{};
  TimePoint request_sent_at_ = kNever;
  TimePoint proved_at_{};
  TimePoint mount_failed_at_{};
  NodeId proved_node_{};
  Epoch proved_epoch_ = 0;
  TimePoint answered_at_ = kNever;
  std::size_t moved_ = 0;  // in the running pump, small pieces counted as kLeastCharge
  std::uint16_t listener_;
  EndReason linger_reason_;
  State state_ = State::kReading;
  bool has_asked_ = false;
  bool can_read_client_ = false;
  bool can_write_client_ = true;
  bool client_ended_ = false;
  bool must_look_at_peer_ = false;  // it may have ended its side behind bytes for which there is no room
  bool close_after_ = false;
  bool node_knows_of_end_ = false;  // of a tunnel's client
  bool again_here_ = false;
  bool is_init_ = false;  // the attempt is one that InitGuard was asked for
  bool keeps_forwarded_for_ = false;
  bool pumping_ = false;
};

}  // namespace bellwether::proxy
