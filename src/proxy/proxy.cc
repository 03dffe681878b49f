#include "bellwether/proxy/proxy.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <iterator>
#include <memory>
#include <utility>

#include "bellwether/net/process.h"
#include "fence.h"
#include "listeners.h"
#include "proxy/core/shared.h"
#include "worker.h"

namespace bellwether::proxy {

namespace {

// REQUIRES: on its thread
Worker& worker_of(Seat& seat) { return static_cast<Worker&>(*seat.worker); }

void run_worker(Shared& shared, Seat& seat) {
  net::name_thread(fmt::format("worker {}", seat.index));
  Worker worker(shared, seat);
  seat.worker = &worker;
  seat.loop->run();
}

}  // namespace

// Lives on the control thread. What workers post to it holds `alive` weakly: it may arrive when all is over.
struct Proxy::Impl {
  Impl(net::Loop& loop, const ProxyOptions& options, ProxyCallbacks callbacks)
      : control(loop), shared(options, std::move(callbacks)), alive(std::make_shared<Impl*>(this)) {}

  ~Impl() {
    for (auto& seat : shared.seats) seat->loop->stop();
    for (auto& seat : shared.seats) {
      if (seat->thread.joinable()) seat->thread.join();
    }
  }

  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  // From any thread: `work` runs on the control thread, if we still live then.
  template <typename Work>
  void post_to_control(Work work) {
    control.post([weak = std::weak_ptr<Impl*>(alive), work = std::move(work)] {
      if (const auto self = weak.lock()) work(**self);
    });
  }

  template <typename Work>
  void post_to_workers(Work work) {
    for (auto& seat : shared.seats) seat->loop->post([s = seat.get(), work] { work(worker_of(*s)); });
  }

  void obey(Fence::Order order) {
    switch (order) {
      case Fence::Order::kNothing:
        return;
      case Fence::Order::kClose:
        return obey(fence.on_closed(shared.gate.close(fence.round())));
      case Fence::Order::kSend:
        return post_to_workers(
            [view = fence.view(), round = fence.round()](Worker& worker) { worker.set_view(view, round); });
    }
  }

  Result<void> make_seats(int count, const std::shared_ptr<net::TlsContext>& node_tls,
                          const NodeTable<NodeOptions>& nodes) {
    for (int i = 0; i < count; ++i) {
      auto loop = net::Loop::create({.clock = control.clock()});
      if (!loop) return tl::unexpected(loop.error());
      const auto index = static_cast<std::size_t>(i);
      Seat& seat = *shared.seats.emplace_back(std::make_unique<Seat>(index, std::move(*loop)));
      seat.nodes = nodes_for(seat, nodes);
      if (!node_tls) continue;
      auto twin = node_tls->twin();
      if (!twin) return tl::unexpected(twin.error());
      seat.node_tls = std::move(*twin);
    }
    return {};
  }

  Result<void> open_listeners(const std::vector<ListenerOptions>& wanted) {
    auto bound = listeners.bind(wanted, shared.seats.size(), shared.first_settings->tcp);
    if (!bound) return tl::unexpected(bound.error());
    listeners.use(**bound);
    for (auto& seat : shared.seats) {
      seat->listener_table = (*bound)->table;
      seat->listeners = std::move((*bound)->told[seat->index]);
    }
    return {};
  }

  // A node that stays keeps its counters.
  static WorkerNodes nodes_for(Seat& seat, const NodeTable<NodeOptions>& nodes) {
    WorkerNodes made;
    for (const NodeId id : nodes.ids()) {
      if (!seat.node_counters.has(id)) seat.node_counters.add(id, std::make_shared<NodeCounters>());
      made.add(id, {nodes.at(id), seat.node_counters.at(id)});
    }
    return made;
  }

  void set_nodes(const NodeTable<NodeOptions>& nodes) {
    for (auto& seat : shared.seats) {
      seat->loop->post([s = seat.get(), made = nodes_for(*seat, nodes)] { worker_of(*s).set_nodes(made); });
    }
    node_ids = nodes.ids();
  }

  // Of nodes that were removed, once no worker can count there any more.
  void add_up_removed() {
    const auto is_removed = [this](NodeId id) {
      return std::find(node_ids.begin(), node_ids.end(), id) == node_ids.end();
    };
    for (auto& seat : shared.seats) {
      seat->node_counters.keep_if([&](NodeId id, const std::shared_ptr<NodeCounters>& counters) {
        if (!is_removed(id) || counters.use_count() > 1) return true;
        std::atomic_thread_fence(std::memory_order_acquire);  // what the worker counted before it let go
        add_to(removed, *counters);
        return false;
      });
    }
  }

  void start_threads() {
    shared.on_left_gate = [this](std::size_t worker, std::uint64_t round) {
      post_to_control([worker, round](Impl& self) { self.obey(self.fence.on_left(worker, round)); });
    };
    shared.on_claim_wanted = [this](Seat& seat, TimePoint since) {
      post_to_control([s = &seat, since](Impl& self) {
        s->wants_claim = since;
        if (self.shared.callbacks.on_claim_wanted) self.shared.callbacks.on_claim_wanted(since);
      });
    };
    shared.on_unused = [this](Seat& seat, std::uint64_t round, std::vector<ListenerNumber> numbers) {
      post_to_control([worker = seat.index, round, numbers = std::move(numbers)](Impl& self) {
        self.listeners.on_unused(worker, round, numbers);
      });
    };
    shared.on_idle_changed = [this](Seat& seat, bool is_idle) {
      post_to_control([s = &seat, is_idle](Impl& self) {
        s->is_idle = is_idle;
        self.call_back_if_idle();
      });
    };
    for (auto& seat : shared.seats) {
      seat->thread = std::thread([this, s = seat.get()] { run_worker(shared, *s); });
    }
  }

  void call_back_if_idle() {
    const auto& seats = shared.seats;
    if (!std::all_of(seats.begin(), seats.end(), [](const auto& seat) { return seat->is_idle; })) return;
    if (const auto callback = std::exchange(on_idle, {})) callback();
  }

  net::Loop& control;
  Shared shared;
  Listeners listeners;
  Fence fence;
  std::shared_ptr<Impl*> alive;
  std::function<void()> on_idle;  // of shut_down(); empty once it was called
  std::vector<NodeId> node_ids;   // as set last
  NodeCounts removed;             // of nodes that were removed, and are counted no more
};

Result<std::unique_ptr<Proxy>> Proxy::start(net::Loop& control, ProxyOptions options, ProxyCallbacks callbacks) {
  options.threads = std::max(1, options.threads);
  const std::vector<ListenerOptions> listeners = std::exchange(options.listeners, {});
  const std::shared_ptr<net::TlsContext> node_tls = std::exchange(options.node_tls, nullptr);
  const NodeTable<NodeOptions> nodes = std::exchange(options.nodes, {});
  auto impl = std::make_unique<Impl>(control, options, std::move(callbacks));
  if (auto made = impl->make_seats(options.threads, node_tls, nodes); !made) return tl::unexpected(made.error());
  if (auto opened = impl->open_listeners(listeners); !opened) return tl::unexpected(opened.error());
  impl->node_ids = nodes.ids();
  impl->start_threads();
  return std::make_unique<Proxy>(Private{}, std::move(impl));
}

Proxy::Proxy(Private, std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Proxy::~Proxy() = default;

void Proxy::publish(const cluster::ViewPtr& view) { impl_->obey(impl_->fence.on_publish(view)); }

void Proxy::confirm(const cluster::Claim& claim) {
  for (auto& seat : impl_->shared.seats) {
    if (!seat->wants_claim || claim.asked < *seat->wants_claim) continue;
    seat->wants_claim.reset();
    seat->loop->post([s = seat.get(), claim] { worker_of(*s).on_claim(claim); });
  }
}

void Proxy::expect_control_by(TimePoint due) { impl_->shared.control.expect_by(due); }

void Proxy::require_claim_since(TimePoint since) { impl_->shared.control.require_claims_since(since); }

void Proxy::set_nodes(const NodeTable<NodeOptions>& nodes) { impl_->set_nodes(nodes); }

Result<std::shared_ptr<ListenerChange>> Proxy::bind_listeners(const std::vector<ListenerOptions>& listeners,
                                                              const ProxySettings& settings) const {
  return impl_->listeners.bind(listeners, impl_->shared.seats.size(), settings.tcp);
}

void Proxy::use_listeners(ListenerChange& change) {
  impl_->listeners.use(change);
  for (auto& seat : impl_->shared.seats) {
    const auto told = std::make_shared<std::vector<OpenListener>>(std::move(change.told[seat->index]));
    seat->loop->post([s = seat.get(), table = change.table, told, round = impl_->listeners.round()] {
      worker_of(*s).set_listeners(table, *told, round);
    });
  }
}

void Proxy::begin_accepting() {
  impl_->post_to_workers([](Worker& worker) { worker.begin_accepting(); });
}

void Proxy::leave_listeners() {
  impl_->post_to_workers([](Worker& worker) { worker.leave_listeners(); });
}

// The limits first: a worker that is told asks them anew for those who wait.
void Proxy::set_settings(ProxySettings settings) {
  Shared& shared = impl_->shared;
  shared.sessions.set_most(settings.maxconn);
  shared.held.set_most(settings.hold_max);
  shared.held_bytes.set_most(settings.hold_bytes);
  const auto next = std::make_shared<const ProxySettings>(std::move(settings));
  impl_->post_to_workers([next](Worker& worker) { worker.set_settings(next); });
}

void Proxy::set_address(NodeId node, const net::Address& address) {
  impl_->post_to_workers([node, address](Worker& worker) { worker.set_address(node, address); });
}

void Proxy::renew_client_tls(const std::shared_ptr<net::TlsContext>& before,
                             const std::shared_ptr<net::TlsContext>& tls) {
  impl_->post_to_workers([before, tls](Worker& worker) { worker.renew_client_tls(before, tls); });
}

Result<void> Proxy::set_node_tls(const std::shared_ptr<net::TlsContext>& tls) {
  std::vector<std::shared_ptr<net::TlsContext>> twins;
  for (std::size_t i = 0; i < impl_->shared.seats.size(); ++i) {
    auto twin = tls->twin();
    if (!twin) return tl::unexpected(twin.error());
    twins.push_back(std::move(*twin));
  }
  for (auto& seat : impl_->shared.seats) {
    seat->loop->post([s = seat.get(), own = twins[seat->index]] { worker_of(*s).set_node_tls(own); });
  }
  return {};
}

void Proxy::when_all_have_it(std::function<void()> on_done) {
  const auto missing = std::make_shared<std::size_t>(impl_->shared.seats.size());
  const auto one_more = [missing, on_done = std::move(on_done)](const Impl&) {
    if (--*missing == 0) on_done();
  };
  impl_->post_to_workers([impl = impl_.get(), one_more](const Worker&) { impl->post_to_control(one_more); });
}

void Proxy::shut_down(std::function<void()> on_idle) {
  impl_->on_idle = std::move(on_idle);
  impl_->post_to_workers([](Worker& worker) { worker.shut_down(); });
  impl_->call_back_if_idle();
}

ProxyCounts Proxy::counts() const {
  ProxyCounts counts;
  impl_->add_up_removed();
  counts.removed_nodes = impl_->removed;
  counts.hold_buckets.resize(std::size(kHoldBuckets) + 1);
  counts.held_bytes = impl_->shared.held_bytes.used();
  for (const NodeId id : impl_->node_ids) counts.nodes.add(id);
  for (const auto& seat : impl_->shared.seats) {
    add_to(counts, seat->counters);
    for (const NodeId id : seat->node_counters.ids()) {
      NodeCounts* const known = counts.nodes.find(id);
      add_to(known != nullptr ? *known : counts.removed_nodes, *seat->node_counters.at(id));
    }
  }
  return counts;
}

LiveTraffic Proxy::live(NodeId node) const {
  const auto moment = [](std::uint64_t ns) { return TimePoint(Duration(static_cast<Duration::rep>(ns))); };
  LiveTraffic seen;
  for (const auto& seat : impl_->shared.seats) {
    if (!seat->node_counters.has(node)) continue;
    const NodeCounters& slot = *seat->node_counters.at(node);
    seen.answered_request = std::max(seen.answered_request, moment(slot.answered_request_ns.get()));
    seen.last_answer = std::max(seen.last_answer, moment(slot.last_answer_ns.get()));
    seen.waiting += static_cast<int>(slot.waiting_long.get());
  }
  return seen;
}

const std::vector<net::Address>& Proxy::addresses() const { return impl_->listeners.addresses(); }

}  // namespace bellwether::proxy
