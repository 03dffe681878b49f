#include "bellwether/admin/admin.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "bellwether/net/listener.h"
#include "bellwether/net/process.h"
#include "endpoints.h"
#include "journal.h"
#include "orders.h"

namespace bellwether::admin {
namespace {

// The admin thread yields to the threads that probe and move bytes: a flood of scrapes costs them nothing on a machine
// without an idle core.
constexpr int kNiceness = 5;

}  // namespace

struct Admin::Impl {
  Impl(net::Loop& loop, AdminOptions o, AdminSources s)
      : control(loop), options(std::move(o)), sources(std::move(s)), alive(std::make_shared<Impl*>(this)) {}

  ~Impl() {
    if (!thread.joinable()) return;
    own_loop->stop();
    thread.join();
  }

  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  // With the first listener: without one there is nothing to do.
  Result<void> start_thread() {
    if (own_loop) return {};
    auto loop = net::Loop::create({.clock = control.clock()});
    if (!loop) return tl::unexpected(loop.error());
    own_loop = std::move(*loop);
    thread = std::thread([this] { run(); });
    return {};
  }

  void run() {
    net::name_thread("admin");
    net::lower_thread_priority(kNiceness);
    Endpoints here(*own_loop, options, to_control());
    endpoints = &here;
    own_loop->run();
  }

  // On the admin thread; what it asks for is done on the control thread, if we still live then.
  Endpoints::ToControl to_control() {
    return {
        .ask_state = [this](const Needs& needs) { post_to_control([needs](Impl& self) { self.send_state(needs); }); },
        .carry_out =
            [this](const OrderPlace& place, Order order) {
              post_to_control([place, order = std::move(order)](Impl& self) { self.carry_out(place, order); });
            },
        .on_room_made =
            [this](std::uint64_t ended) { post_to_control([ended](Impl& self) { self.on_room_made(ended); }); }};
  }

  template <typename Work>
  void post_to_control(Work work) {
    control.post([weak = std::weak_ptr<Impl*>(alive), work = std::move(work)] {
      if (const auto self = weak.lock()) work(**self);
    });
  }

  void send_state(const Needs& needs) {
    forget_removed_clusters();
    own_loop->post(
        [this, state = copy_state(sources, journals, needs, control.precise_now())] { endpoints->on_state(state); });
  }

  void forget_removed_clusters() {
    const Clusters present = sources.clusters();
    std::erase_if(journals, [&present](const auto& journal) {
      return std::none_of(present.begin(), present.end(),
                          [&journal](const auto& cluster) { return cluster->name == journal.first; });
    });
  }

  // A cluster's first events may come before it is one of AdminSources::clusters.
  Journal& journal_of(std::string_view cluster) {
    if (const auto found = journals.find(cluster); found != journals.end()) return found->second;
    forget_removed_clusters();
    return journals[std::string(cluster)];
  }

  void carry_out(const OrderPlace& place, const Order& order) {
    // The prober may answer after we are gone.
    const auto respond = [weak = std::weak_ptr<Impl*>(alive), place](const http::Response& response) {
      if (const auto self = weak.lock()) (*self)->answer_order(place, response);
    };
    carry_out_order(order, sources, control.precise_now(), respond);
  }

  void answer_order(const OrderPlace& place, const http::Response& response) {
    own_loop->post([this, place, response] { endpoints->on_carried_out(place, response); });
  }

  void on_room_made(std::uint64_t ended) {
    made_room += ended;
    if (sources.on_room_made) sources.on_room_made(ended);
  }

  Result<net::Address> listen(const net::Address& address, const net::ListenOptions& how, Rights rights) {
    auto socket = net::bind_listener(address, how);
    if (!socket) return tl::unexpected(socket.error());
    auto real = socket->local_address();
    if (!real) return tl::unexpected(real.error());
    if (auto started = start_thread(); !started) return tl::unexpected(started.error());
    own_loop->post([this, rights, handed_over = std::make_shared<net::Socket>(std::move(*socket))] {
      endpoints->listen(std::move(*handed_over), rights);
    });
    return real;
  }

  net::Loop& control;
  const AdminOptions options;
  const AdminSources sources;
  Journals journals;
  std::uint64_t made_room = 0;
  std::shared_ptr<Impl*> alive;
  std::unique_ptr<net::Loop> own_loop;
  Endpoints* endpoints = nullptr;  // set and used on the admin thread only
  std::thread thread;
};

Admin::Admin(net::Loop& loop, AdminOptions options, AdminSources sources)
    : impl_(std::make_unique<Impl>(loop, std::move(options), std::move(sources))) {}

Admin::~Admin() = default;

Result<net::Address> Admin::listen(const net::Address& address) {
  auto real = impl_->listen(address, {}, Rights::kRead);
  if (!real) return tl::unexpected(real.error().within("admin address"));
  return real;
}

Result<void> Admin::listen_control(const net::Address& unix_address) {
  net::ListenOptions options;
  options.unix_mode = 0660;
  const auto real = impl_->listen(unix_address, options, Rights::kChange);
  if (!real) return tl::unexpected(real.error().within("control socket"));
  return {};
}

void Admin::set_hosts(std::vector<std::string> hosts) {
  if (!impl_->own_loop) return;  // nobody can ask
  AccessOptions access = impl_->options.access;
  access.hosts = std::move(hosts);
  impl_->own_loop->post([impl = impl_.get(), access = std::move(access)] { impl->endpoints->set_access(access); });
}

void Admin::begin_accepting() {
  if (impl_->own_loop) impl_->own_loop->post([impl = impl_.get()] { impl->endpoints->begin_accepting(); });
}

void Admin::leave(std::function<void()> on_left) {
  if (impl_->own_loop) impl_->own_loop->post([impl = impl_.get()] { impl->endpoints->leave(); });
  when_it_turned(std::move(on_left));
}

void Admin::when_it_turned(std::function<void()> on_turned) {
  if (!impl_->own_loop) return on_turned();
  impl_->own_loop->post([impl = impl_.get(), on_turned = std::move(on_turned)] {
    impl->post_to_control([on_turned](Impl&) { on_turned(); });
  });
}

void Admin::record(std::string_view cluster, const std::vector<cluster::Event>& events) {
  const WallClock clock = impl_->sources.wall_clock();
  Journal& journal = impl_->journal_of(cluster);
  for (const auto& event : events) journal.record(event, clock.at(impl_->control.now()));
}

std::uint64_t Admin::made_room() const { return impl_->made_room; }

std::size_t Admin::max_descriptors() {
  constexpr std::size_t kLoopAndListeners = 8;
  return kMaxReadConnections + kMaxControlConnections + kLoopAndListeners;
}

}  // namespace bellwether::admin
