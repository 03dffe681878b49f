#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "bellwether/base/ids.h"
#include "bellwether/base/time.h"
#include "bellwether/cluster/observation.h"
#include "bellwether/net/watch.h"
#include "bellwether/wire/idleness.h"
#include "dialling.h"
#include "hello.h"
#include "leaving.h"
#include "proxy/core/dialogue.h"
#include "proxy/core/drain_policy.h"
#include "proxy/core/end_reason.h"
#include "proxy/core/hold.h"
#include "proxy/core/places.h"
#include "relay.h"
#include "session_account.h"

namespace bellwether::proxy {

class TcpFront;
class WorkerCore;

// One client connection in tcp mode and the node it is paired with: held, connecting, relaying, lingering, ended. Owned
// by its front's table; used on its thread only. It never reads from the client before a node took the connection.
// While its node takes no requests (drain_policy.h) a request that the client begins stays unread.
class Session final : public WaitLink {
 public:
  enum class State : std::uint8_t { kNew, kHeld, kConnecting, kRelaying, kLingering, kEnded };

  Session(TcpFront& front, std::uint16_t listener, net::Socket client, std::unique_ptr<Origin> origin);

  // Any of these may end it; it is destroyed at the end of the turn at the earliest.
  void start();
  void leave_hold(NodeId target);  // stays there if its last dial failed under this view, a moment ago
  void undial();                   // back to the hold: nothing was sent. No-op unless connecting
  void on_view();
  // What the client said while another epoch's view was on its way. No-op if nothing waits.
  void send_what_waits();
  void on_tick(TimePoint now);
  // Often, while its node has lost its standing or an answer of it is deferred. `may_cut_quiet`: whether it may be
  // ended now if nothing is under way. True if it was.
  bool leave_step(TimePoint now, bool may_cut_quiet);
  [[nodiscard]] bool needs_leave_steps() const;
  void end(EndReason reason);
  // If it waits for its client: what for, and since when.
  void collect_idle(std::vector<wire::IdleConnection>& into);

  // The client has sent something and the node has said nothing since.
  [[nodiscard]] TimePoint asked_at() const { return asked_at_; }
  // ... for so long that the tracker is to be told: once per answer.
  void say_unanswered();

  std::size_t table_index = 0;  // the table's

 private:
  [[nodiscard]] WorkerCore& worker() const;  // tcp_front.h
  [[nodiscard]] const SessionSettings& options() const;
  struct Side final : net::ReadinessHandler, Channel {
    explicit Side(Session& s) : session(s) {}
    void on_ready(net::Readiness ready) override { session.on_ready(*this, ready); }
    void close();
    // A readiness with an error. libevent shows one as readable and writable at once.
    [[nodiscard]] bool has_failed(net::Readiness ready) const;
    // Reads what the peer says and forgets it, a turn's budget at most. False: the peer has ended.
    [[nodiscard]] bool discard_input(RelayPool& pool);
    Session& session;
    net::Watch watch;
  };

  void become(State state) { state_ = state; }
  void on_ready(Side& side, net::Readiness ready);
  void on_connect_ready();
  void hold();
  void dial(NodeId node);
  void dial_failed(std::optional<cluster::HintKind> hint);
  void close_dial();
  void connected();
  void client_left();
  // Nullopt: nothing may be sent now.
  [[nodiscard]] std::optional<Flow::Progress> pump_up(bool passes_end);
  void relay_up();
  void relay_down();
  [[nodiscard]] bool is_silent() const;
  [[nodiscard]] bool has_unheard_client() const;
  void on_progress(const Flow::Progress& progress, Flow& flow, Side& from, Side& to);
  void note_asked();
  void note_answered();
  void on_end_passed(const Side& from);
  void on_write_failed(Side& to);

  // session_leave.cc: a node that takes no requests, for now or for good
  [[nodiscard]] bool may_relay_from(const Side& side);
  [[nodiscard]] bool admits_client();
  void relay_deferred(TimePoint now);
  void on_node_lost();
  void resume();
  void leave(Cut cut);
  void linger(EndReason reason, bool may_speak);
  void part_from_node(EndReason reason);
  [[nodiscard]] Phase phase() const;
  [[nodiscard]] bool may_replay() const;
  void replay(std::optional<cluster::HintKind> hint);

  TcpFront& front_;
  Side client_;
  Side node_;
  Flow up_;
  Flow down_;
  SessionAccount account_;
  std::unique_ptr<Hello> hello_;  // until the node has said something
  Leaving leaving_;
  Dialogue dialogue_;
  Dialling dialling_;
  Counted at_node_;  // in the node's gauge
  TimePoint last_active_{};
  TimePoint asked_at_{};
  Epoch epoch_ = 0;
  NodeId node_id_{};
  const std::uint16_t listener_;
  State state_ = State::kNew;
  bool has_node_ = false;       // node_id_ and epoch_ mean something
  bool waits_to_send_ = false;  // up, for the gate
  bool said_unanswered_ = false;
  bool node_spoke_last_ = false;
  bool was_asked_ = false;  // the node
};

}  // namespace bellwether::proxy
