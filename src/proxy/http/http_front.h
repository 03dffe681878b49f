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
#include "proxy/upstream/upstream_pool.h"

namespace bellwether::proxy {

class WorkerCore;

// Http mode on one worker: its client connections, the requests among them that wait, the connections to nodes.
class HttpFront {
 public:
  HttpFront(WorkerCore& worker, std::shared_ptr<net::TlsContext> node_tls);
  ~HttpFront() = default;
  HttpFront(const HttpFront&) = delete;
  HttpFront& operator=(const HttpFront&) = delete;

  void adopt(Accepted accepted);
  void end_all();  // with the worker
  void on_fence();
  void on_view();
  void on_nodes();  // the worker has others than before, or something has changed of them
  void on_address(NodeId node);
  void set_node_tls(const std::shared_ptr<net::TlsContext>& tls);
  void on_claim();
  void on_hung();  // a node that was replaced has been silent for `grace`
  void resume();   // the view is fresh again: what was withheld goes on
  void tick(TimePoint now);
  void collect_idle(std::vector<wire::IdleConnection>& into);
  [[nodiscard]] bool has_unconfirmed() const { return !unconfirmed_.empty(); }
  [[nodiscard]] bool has_waiting() const { return !queue_.empty(); }
  [[nodiscard]] bool is_busy() const { return !table_.empty(); }
  [[nodiscard]] bool has_idle_upstreams() const { return pool_.idle_count() > 0; }

  // For connections and exchanges.
  [[nodiscard]] WorkerCore& worker() { return worker_; }
  [[nodiscard]] UpstreamPool& pool() { return pool_; }
  [[nodiscard]] ExchangePool<HttpExchange>& exchanges() { return exchanges_; }
  [[nodiscard]] WaitQueue& queue() { return queue_; }
  [[nodiscard]] AnswerWatch<HttpExchange>& answers() { return answers_; }
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
  // A PROXY header speaks for one client only.
  [[nodiscard]] bool shares_upstreams() const;
  // A new connection, opening; null if there is no way to. `user` is null if it is for nobody yet.
  [[nodiscard]] std::unique_ptr<Upstream> open_upstream(NodeId node, std::string preamble, UpstreamUser* user);
  // While requests wait for a leader: connections to those that may be the next, so that the first need no handshake.
  void warm_up();
  // What a node may call itself, in a redirect.
  [[nodiscard]] std::span<const std::string_view> urls(NodeId node) const;
  [[nodiscard]] bool has_performance_standbys() const;
  // The leader blocks: what may hold up its step-down should end.
  [[nodiscard]] bool leader_blocks(NodeId node, TimePoint now) const;
  void say_stream_ended(NodeId node) const;  // for that reason
  // Mounts that nodes were asked about, for requests that were refused; and how many questions are under way.
  [[nodiscard]] vault::MountTable& mounts() { return mounts_; }
  [[nodiscard]] int& mount_lookups() { return mount_lookups_; }
  void release();
  void release_soon();                                 // once the callbacks of this turn are over
  void give_back(std::unique_ptr<Upstream> upstream);  // somebody who waits may want it
  void pump_later(HttpConnection& connection);
  void retire(HttpConnection& connection);

 private:
  struct NodeSide {
    std::vector<std::string> urls;            // its public one, if it has any, and that of its address
    std::vector<std::string_view> url_views;  // of `urls`
    std::string server_name;
    std::uint64_t waiting = 0;        // exchanges, for long
    std::optional<TimePoint> warmed;  // when connections were last opened for nobody
  };

  [[nodiscard]] bool may_take_over(NodeId node) const;
  void on_warm(NodeId node, bool is_open);
  void pump_postponed();
  void after_retire();
  template <typename Visit>
  void for_each_exchange(Visit visit);
  void count_waiting(TimePoint now);
  void send_idle_away(TimePoint now);
  void set_urls(NodeId node);

  WorkerCore& worker_;
  NodeTable<NodeSide> nodes_;
  std::shared_ptr<net::TlsContext> node_tls_;  // for the nodes that are spoken to over TLS
  UpstreamPool pool_;
  ExchangePool<HttpExchange> exchanges_;
  WaitQueue queue_;
  WaitQueue unconfirmed_;
  AnswerWatch<HttpExchange> answers_;
  vault::MountTable mounts_;
  int mount_lookups_ = 0;
  TableOf<HttpConnection> table_;
  std::vector<HttpConnection*> postponed_;
  http::RequestHead request_scratch_;
  http::ResponseHead response_scratch_;
  net::Timer release_timer_;
  net::Timer pump_timer_;
  TimePoint suspect_since_ = kNever;
  std::optional<NodeId> last_leader_;
  int scratch_uses_ = 0;
};

}  // namespace bellwether::proxy
