#include "component/proxy/harness.h"

#include <array>
#include <utility>

#include "bellwether/base/assert.h"
#include "bellwether/net/process.h"
#include "catch.hpp"
#include "support/first_nodes.h"

namespace bellwether::proxy {

std::uint64_t checksum_of(std::string_view bytes, std::uint64_t so_far) {
  std::uint64_t sum = so_far;
  for (const char c : bytes) sum = sum * 31 + static_cast<unsigned char>(c);
  return sum;
}

Peer::Peer(net::Loop& loop, net::Socket socket) : socket_(std::move(socket)) {
  BW_ASSERT(watch_.open(loop, socket_.fd(), *this));
}

std::unique_ptr<Peer> Peer::dial(net::Loop& loop, const net::Address& to) {
  auto socket = net::Socket::connect(to, std::nullopt, {});
  BW_ASSERT(socket);
  return std::make_unique<Peer>(loop, std::move(*socket));
}

void Peer::send(std::string_view bytes) {
  outgoing_ += bytes;
  if (connected) write_all();
}

void Peer::finish() {
  finishing_ = true;
  if (connected) write_all();
}

void Peer::close() {
  watch_.close();
  socket_.close();
}

void Peer::abort() {
  watch_.close();
  socket_.abort();
}

void Peer::pause_reading(bool paused) {
  reading_paused_ = paused;
  if (!paused) read_all();
}

void Peer::on_ready(net::Readiness ready) {
  if (ready.writable) {
    connected = true;
    write_all();
  }
  if ((ready.readable || ready.closed) && !reading_paused_) read_all();
}

void Peer::read_all() {
  std::array<char, 65536> buffer;
  while (socket_.is_open() && !is_over() && !reading_paused_) {
    const net::IoResult read = socket_.read(buffer);
    if (read.status == net::IoStatus::kAgain) return;
    if (read.status == net::IoStatus::kError) {
      saw_reset = true;
      return;
    }
    if (read.status == net::IoStatus::kEof) {
      saw_end = true;
      if (on_end) on_end(*this);
      return;
    }
    const std::string_view bytes(buffer.data(), read.bytes);
    received_bytes += read.bytes;
    if (only_count_) {
      checksum = checksum_of(bytes, checksum);
    } else {
      received += bytes;
    }
    if (on_data) on_data(*this, bytes);
  }
}

void Peer::write_all() {
  while (socket_.is_open() && sent_ < outgoing_.size()) {
    const net::IoResult wrote = socket_.write(std::string_view(outgoing_).substr(sent_));
    if (wrote.status != net::IoStatus::kOk) return;
    sent_ += wrote.bytes;
  }
  if (finishing_ && !finished_ && socket_.is_open()) {
    finished_ = true;
    socket_.shutdown_write();
  }
}

Backend::Backend(net::Loop& loop, const char* address) {
  auto socket = net::bind_listener(*net::Address::parse(address), {});
  BW_ASSERT(socket);
  address_ = *socket->local_address();
  listener_ = std::make_unique<net::Listener>(loop, std::move(*socket),
                                              [this, &loop](net::Socket accepted, const net::Address&) {
                                                peers.push_back(std::make_unique<Peer>(loop, std::move(accepted)));
                                                peers.back()->connected = true;
                                                if (on_accept) on_accept(*peers.back());
                                              });
}

std::unique_ptr<Backend> Backend::echo(net::Loop& loop) {
  auto backend = std::make_unique<Backend>(loop);
  backend->on_accept = [](Peer& peer) {
    peer.on_data = [](Peer& self, std::string_view bytes) { self.send(bytes); };
    peer.on_end = [](Peer& self) { self.finish(); };
  };
  return backend;
}

ToldRequest::ToldRequest(const RequestRecord& r)
    : record(r),
      listener(r.listener),
      client(r.client),
      method(r.method),
      path(r.path),
      rejected(r.rejected),
      end(r.end) {
  record.listener = record.client = record.method = record.path = record.rejected = {};
}

Rig::Rig(RigTime time) {
  net::block_signals({});
  auto made = net::Loop::create({.precise_timers = true, .clock = time == RigTime::kManual ? &clock : nullptr});
  BW_ASSERT(made);
  loop = std::move(*made);
  options.suspect_after = 1h;  // nobody probes here, and a busy machine may stop a worker for long
  options.listeners.push_back({});
  options.listeners.front().address = *net::Address::parse("127.0.0.1:0");
}

Rig::~Rig() = default;

NodeId Rig::add_node(const net::Address& address, std::string public_url) {
  const auto index = static_cast<std::uint32_t>(options.nodes.size());
  options.nodes.add({index}, {"n" + std::to_string(index + 1), address, std::move(public_url)});
  return NodeId{index};
}

void Rig::start() {
  ProxyCallbacks callbacks;
  callbacks.on_hint = [this](const cluster::Hint& hint) { loop->post([this, hint] { hints.push_back(hint); }); };
  callbacks.on_claim_wanted = [this](TimePoint since) { claims_wanted.push_back(since); };
  callbacks.on_traffic = [this] { loop->post([this] { ++traffic; }); };
  callbacks.on_stream_ended = [this](NodeId node, const std::string& /*name*/) {
    loop->post([this, node] { ended_streams.push_back(node); });
  };
  callbacks.on_room_made = [this](std::size_t ended) { loop->post([this, ended] { made_room += ended; }); };
  callbacks.on_session_end = [this, in_worker = on_session_end_in_worker](const SessionRecord& record) {
    if (in_worker) in_worker();
    loop->post([this, record] { records.push_back(record); });
  };
  callbacks.on_request_end = [this](const RequestRecord& record) {
    loop->post([this, told = ToldRequest(record)] { requests.push_back(told); });
  };
  callbacks.on_redirect_loop = [this](const std::string& listener, const std::string& target) {
    loop->post([this, said = listener + " -> " + target] { loops.push_back(said); });
  };
  auto started = Proxy::start(*loop, options, callbacks);
  if (!started) FAIL(started.error().message);
  proxy = std::move(*started);
}

std::unique_ptr<Peer> Rig::client(std::size_t listener) { return Peer::dial(*loop, proxy->addresses()[listener]); }

bool Rig::until(const std::function<bool()>& done, Duration deadline) {
  // Workers count on their own threads: that raises no event on this loop.
  constexpr Duration kLookAgain = 2ms;
  const auto ends = std::chrono::steady_clock::now() + deadline;
  while (!loop->run_until(done, kLookAgain)) {
    if (std::chrono::steady_clock::now() >= ends) return false;
  }
  return true;
}

cluster::View Rig::view(Epoch epoch, std::optional<NodeId> leader, cluster::HoldReason hold) {
  cluster::View made;
  made.serial = ++serial_;
  made.epoch = epoch;
  made.leader = leader;
  made.hold = hold;
  made.nodes = bellwether::testing::first_nodes<cluster::NodeView>(options.nodes.size());
  for (std::size_t i = 0; i < made.nodes.size(); ++i) {
    made.nodes[i].up = true;
    made.nodes[i].facts.version = node_version;
    made.nodes[i].role = leader && leader->number == i ? cluster::Role::kActive : cluster::Role::kUnknown;
  }
  return made;
}

cluster::View Rig::suspect(Epoch epoch, NodeId leader) {
  cluster::View made = view(epoch, leader, cluster::HoldReason::kSuspect);
  made.suspect = true;
  return made;
}

void Rig::publish(cluster::View view) { proxy->publish(std::make_shared<const cluster::View>(std::move(view))); }

}  // namespace bellwether::proxy
