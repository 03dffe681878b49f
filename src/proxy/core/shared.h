#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "bellwether/base/node_table.h"
#include "bellwether/net/loop.h"
#include "bellwether/proxy/proxy.h"
#include "control_state.h"
#include "counters.h"
#include "hold.h"
#include "init_guard.h"
#include "known_listeners.h"
#include "send_gate.h"
#include "session_limit.h"

namespace bellwether::proxy {

class WorkerCore;

// A node as a worker is told of it.
struct WorkerNode {
  NodeOptions options;
  std::shared_ptr<NodeCounters> counters;
};
using WorkerNodes = NodeTable<WorkerNode>;

// A worker's place: what the control thread keeps for it. The worker itself lives on its own thread's stack.
struct Seat {
  Seat(std::size_t own_index, std::unique_ptr<net::Loop> own_loop) : index(own_index), loop(std::move(own_loop)) {}

  const std::size_t index;  // among the workers
  std::unique_ptr<net::Loop> loop;
  WorkerCounters counters;
  NodeTable<std::shared_ptr<NodeCounters>> node_counters;  // the control thread's; each is written by the worker alone
  SessionLimit::Waiter room;                               // waits while maxconn is reached
  std::optional<TimePoint> wants_claim;                    // asked for then or later; the control thread's
  bool is_idle = false;          // while shutting down: it has nothing left to serve; the control thread's
  WorkerCore* worker = nullptr;  // set and used on its thread only (by posted work)
  std::shared_ptr<const ListenerTable> listener_table;  // until the thread takes it
  std::vector<OpenListener> listeners;                  // likewise
  std::shared_ptr<net::TlsContext> node_tls;            // likewise
  WorkerNodes nodes;                                    // likewise
  std::thread thread;
};

// What all workers see. Written before they start, but for the limits and the control thread's state.
struct Shared {
  // The settings are `o` without what it has beside them, which is given to the seats.
  explicit Shared(const ProxyOptions& o, ProxyCallbacks c)
      : first_settings(std::make_shared<const ProxySettings>(o)),
        waits_to_accept(o.waits_to_accept),
        callbacks(std::move(c)),
        sessions(o.maxconn),
        held(o.hold_max),
        held_bytes(o.hold_bytes),
        gate(static_cast<std::size_t>(o.threads)) {}

  const std::shared_ptr<const ProxySettings> first_settings;  // WorkerCore::options() are those of now
  const bool waits_to_accept;
  const ProxyCallbacks callbacks;
  std::vector<std::unique_ptr<Seat>> seats;
  SessionLimit sessions;
  SharedLimit held;
  SharedBudget held_bytes;
  SharedControlState control;
  InitGuard init;
  SendGate gate;
  // A worker that was sending when the gate was closed has done so; called on its thread, once a round.
  std::function<void(std::size_t worker, std::uint64_t round)> on_left_gate;
  std::function<void(Seat&, TimePoint since)> on_claim_wanted;  // likewise
  // Listeners that were closed in that round or before (Listeners), and that no connection of the worker's came by;
  // called on its thread.
  std::function<void(Seat&, std::uint64_t round, std::vector<ListenerNumber>)> on_unused;
  // While shutting down: a worker has nothing left to serve, or has something again; called on its thread.
  std::function<void(Seat&, bool is_idle)> on_idle_changed;

  // Gives a session's place below maxconn back and wakes the workers that wait for one.
  void release_session();
  // Lets the other workers make room for a connection that `asking` has parked.
  void ask_others_for_room(const Seat& asking);
};

}  // namespace bellwether::proxy
