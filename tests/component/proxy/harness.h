#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bellwether/cluster/view.h"
#include "bellwether/net/listener.h"
#include "bellwether/net/loop.h"
#include "bellwether/net/manual_clock.h"
#include "bellwether/net/socket.h"
#include "bellwether/net/watch.h"
#include "bellwether/proxy/proxy.h"

namespace bellwether::proxy {

// One end of a TCP connection in a test: keeps what it reads, writes what it is given. On the test's loop.
class Peer final : public net::ReadinessHandler {
 public:
  Peer(net::Loop& loop, net::Socket socket);
  static std::unique_ptr<Peer> dial(net::Loop& loop, const net::Address& to);

  void send(std::string_view bytes);
  void finish();  // half-close, once all is written
  void close();   // both ways
  void abort();   // RST
  void pause_reading(bool paused);
  void only_count() { only_count_ = true; }  // keeps count and checksum of what it reads, not the bytes

  std::string received;
  std::uint64_t received_bytes = 0;
  std::uint64_t checksum = 0;
  bool saw_end = false;    // the other side's FIN
  bool saw_reset = false;  // or any error
  bool connected = false;
  std::function<void(Peer&, std::string_view)> on_data;
  std::function<void(Peer&)> on_end;
  [[nodiscard]] bool is_over() const { return saw_end || saw_reset; }
  [[nodiscard]] std::size_t unsent() const { return outgoing_.size() - sent_; }

  void on_ready(net::Readiness ready) override;

 private:
  void read_all();
  void write_all();

  net::Socket socket_;
  net::Watch watch_;
  std::string outgoing_;
  std::size_t sent_ = 0;
  bool finishing_ = false;
  bool finished_ = false;
  bool reading_paused_ = false;
  bool only_count_ = false;
};

// A sum that depends on the order of the bytes; continues from `so_far`.
[[nodiscard]] std::uint64_t checksum_of(std::string_view bytes, std::uint64_t so_far);

// A node: accepts and does what `on_accept` sets up.
class Backend {
 public:
  explicit Backend(net::Loop& loop, const char* address = "127.0.0.1:0");
  static std::unique_ptr<Backend> echo(net::Loop& loop);

  void stop() { listener_.reset(); }
  [[nodiscard]] const net::Address& address() const { return address_; }
  std::vector<std::unique_ptr<Peer>> peers;
  std::function<void(Peer&)> on_accept;

 private:
  net::Address address_;
  std::unique_ptr<net::Listener> listener_;
};

// A RequestRecord whose texts are its own.
struct ToldRequest {
  explicit ToldRequest(const RequestRecord& r);
  RequestRecord record;  // but for its views
  std::string listener, client, method, path, rejected, end;
};

// Whether a Rig's clock stands still until the test moves it.
enum class RigTime { kManual, kReal };

// A proxy and all that it told its owner.
class Rig {
 public:
  explicit Rig(RigTime time = RigTime::kManual);
  ~Rig();

  // A node at that address; returns its id. Before start().
  NodeId add_node(const net::Address& address, std::string public_url = "");
  void start();
  [[nodiscard]] std::unique_ptr<Peer> client(std::size_t listener = 0);
  // The deadline is real time. With a manual clock no time passes for the proxy.
  [[nodiscard]] bool until(const std::function<bool()>& done, Duration deadline = 5s);
  // With a manual clock: the proxy's time passes, and with it all that it brings about.
  void advance(Duration by) { clock.advance(*loop, by); }
  [[nodiscard]] bool advance_until(const std::function<bool()>& done, Duration by = 5s) {
    return clock.advance_until(*loop, done, by);
  }

  // The next view: its serial grows by one each time.
  [[nodiscard]] cluster::View view(Epoch epoch, std::optional<NodeId> leader,
                                   cluster::HoldReason hold = cluster::HoldReason::kNone);
  [[nodiscard]] cluster::View suspect(Epoch epoch, NodeId leader);
  void publish(cluster::View view);
  void lead(Epoch epoch, NodeId node) { publish(view(epoch, node)); }
  void no_leader(Epoch epoch) { publish(view(epoch, std::nullopt, cluster::HoldReason::kNoLeader)); }

  net::ManualClock clock;
  std::unique_ptr<net::Loop> loop;
  ProxyOptions options;
  std::string node_version = "2.4.4";  // of OpenBao: its standbys refuse before they act
  std::unique_ptr<Proxy> proxy;
  // What the workers told, posted to `loop`.
  std::vector<cluster::Hint> hints;
  std::vector<TimePoint> claims_wanted;
  std::vector<SessionRecord> records;
  std::vector<ToldRequest> requests;
  std::vector<std::string> loops;
  int traffic = 0;
  std::size_t made_room = 0;
  std::vector<NodeId> ended_streams;
  std::function<void()> on_session_end_in_worker;  // on the worker's thread; with log_sessions. Set before start()

 private:
  std::uint64_t serial_ = 0;
};

}  // namespace bellwether::proxy
