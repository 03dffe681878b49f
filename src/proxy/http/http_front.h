#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bellwether/base/node_table.h"
#include "bellwether/http/head.h"
#include "bellwether/net/loop.h"
#include "bellwether/net/tls.h"
#include "bellwether/proxy/proxy.h"
#include "bellwether/vault/mount.h"
#include "http_connection.h"
#include "proxy/core/accepted.h"
#include "proxy/core/answer_watch.h"
#include "proxy/core/hold.h"
#include "proxy/core/session_table.h"
#include "proxy/core/worker_core.h"
#include "proxy/exchange/mount_lookup.h"
#include "proxy/exchange/responder.h"
#include "proxy/upstream/node_connections.h"

namespace bellwether::proxy {

// HTTP/1.1 on one worker: its client connections, the requests among them that wait, the connections to nodes. The
// requests of http listeners go to nodes, a Responder answers those of others.
class HttpFront {
 public:
  HttpFront(WorkerCore& worker, std::shared_ptr<net::TlsContext> node_tls, Responder& responder);
  ~HttpFront() = default;
  HttpFront(const HttpFront&) = delete;
  HttpFront& operator=(const HttpFront&) = delete;

  void adopt(Accepted accepted, AnsweredBy answered_by);
  void end_all();  // with the worker
  void on_fence();
  void on_view();
  // The worker has others than before, or something has changed of them.
  void on_nodes() { node_connections_.on_nodes(); }
  void on_settings(const ProxySettings& before) { node_connections_.on_settings(before); }
  void on_address(NodeId node) { node_connections_.on_address(node); }
  void set_node_tls(const std::shared_ptr<net::TlsContext>& tls) { node_connections_.set_node_tls(tls); }
  void on_claim();
  void on_hung();  // a node that was replaced has been silent for `grace`
  void resume();   // the view is fresh again: what was withheld goes on
  void tick(TimePoint now);
  void collect_idle(std::vector<wire::IdleConnection>& into);
  [[nodiscard]] bool has_unconfirmed() const { return !unconfirmed_.empty(); }
  [[nodiscard]] bool has_waiting() const { return !queue_.empty() || !responder_queue_.empty(); }
  [[nodiscard]] bool is_busy() const { return !table_.empty(); }
  // Shutting down waits.
  [[nodiscard]] bool is_serving() const {
    return table_.any_of([](const HttpConnection& connection) { return connection.holds_up_shut_down(); });
  }
  // Those of the connection's listener, as they are now: a reference must not outlive the call that it was taken in.
  [[nodiscard]] const SessionSettings& settings_of(const HttpConnection& connection) const {
    return worker_.listeners().settings(connection.listener());
  }
  [[nodiscard]] bool has_idle_upstreams() const { return node_connections_.idle_count() > 0; }

  // For connections and exchanges.
  [[nodiscard]] WorkerCore& worker() { return worker_; }
  [[nodiscard]] NodeConnections& node_connections() { return node_connections_; }
  [[nodiscard]] ExchangePool<HttpExchange>& exchanges() { return exchanges_; }
  [[nodiscard]] WaitQueue& queue() { return queue_; }
  // Requests that a Responder answers need no dial, and wait for nobody's: they have a queue of their own.
  [[nodiscard]] WaitQueue& queue_of(const Request& request) { return request.target ? responder_queue_ : queue_; }
  [[nodiscard]] Responder& responder() { return responder_; }
  [[nodiscard]] HttpCounters& counters_of(AnsweredBy answered_by) {
    return answered_by == AnsweredBy::kNodes ? worker_.counters().http : responder_counters_;
  }
  [[nodiscard]] AnswerWatch<Delivery>& answers() { return answers_; }
  // Those whose answer waits for a claim, in the order in which the answers came.
  [[nodiscard]] WaitQueue& unconfirmed() { return unconfirmed_; }
  [[nodiscard]] http::RequestHead& request_scratch() { return request_scratch_; }
  [[nodiscard]] http::ResponseHead& response_scratch() { return response_scratch_; }
  // While one stands, a head in it is read, and no other connection or exchange may run.
  class ScratchUse {
   public:
    explicit ScratchUse(HttpFront& front) : front_(front) { ++front_.scratch_uses_; }
    ~ScratchUse() { --front_.scratch_uses_; }
    ScratchUse(const ScratchUse&) = delete;
    ScratchUse& operator=(const ScratchUse&) = delete;

   private:
    HttpFront& front_;
  };
  // Somebody waits for a leader: see NodeConnections.
  void warm_up();
  // The leader blocks: what may hold up its step-down should end.
  [[nodiscard]] bool leader_blocks(NodeId node, TimePoint now) const;
  void say_stream_ended(NodeId node) const;  // for that reason
  [[nodiscard]] MountBook& mounts() { return mounts_; }
  void release();
  void release_soon();  // once the callbacks of this turn are over
  void pump_later(HttpConnection& connection);
  void retire(HttpConnection& connection);

 private:
  void pump_postponed();
  void after_retire();
  template <typename Visit>
  void for_each_exchange(Visit visit);
  void count_waiting(TimePoint now);
  void send_idle_away(TimePoint now);

  WorkerCore& worker_;
  NodeConnections node_connections_;
  Responder& responder_;
  ExchangePool<HttpExchange> exchanges_;
  WaitQueue queue_;
  WaitQueue responder_queue_;
  WaitQueue unconfirmed_;
  AnswerWatch<Delivery> answers_;
  MountBook mounts_;
  NodeTable<std::uint64_t> waiting_;  // exchanges that have waited for each node for long; scratch of a tick
  TableOf<HttpConnection> table_;
  std::vector<HttpConnection*> postponed_;
  http::RequestHead request_scratch_;
  http::ResponseHead response_scratch_;
  net::Timer release_timer_;
  net::Timer pump_timer_;
  TimePoint suspect_since_ = kNever;
  std::size_t for_nodes_ = 0;  // connections of which the requests go to nodes
  int scratch_uses_ = 0;
  // The metrics of http listeners do not count what a Responder answers.
  HttpCounters responder_counters_;
};

}  // namespace bellwether::proxy
