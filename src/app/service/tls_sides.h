#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/files/certificates.h"
#include "bellwether/base/result.h"
#include "bellwether/config/config.h"
#include "bellwether/net/loop.h"
#include "bellwether/net/tls.h"
#include "plan.h"

namespace bellwether::app {

// How a running service speaks TLS: with its nodes, if any of them wants it, and with the clients of each listener that
// has a certificate. Each side has the options that its context is made by, and the certificates that are read again;
// listeners with the same options share a side. Control thread.
class TlsSides {
 public:
  // A side that nobody speaks TLS on has neither.
  template <typename Options>
  struct Side {
    std::optional<Options> options;
    std::unique_ptr<Certificates> certificates;

    [[nodiscard]] Certificates::Context context() const { return certificates ? certificates->context() : nullptr; }
    [[nodiscard]] CertificateCounts counts() const {
      return certificates ? certificates->counts() : CertificateCounts{};
    }
  };
  using NodeSide = Side<net::TlsClientOptions>;
  using ClientSide = Side<net::TlsServerOptions>;

  // A listener's address and, if it speaks TLS, the options of its side.
  struct Listener {
    std::string address;
    std::optional<net::TlsServerOptions> tls;
  };

  // What becomes of the sides.
  struct Change {
    std::optional<NodeSide> nodes;    // nothing: it stays as it is
    std::vector<ClientSide> clients;  // those that are new
    std::vector<Listener> listeners;  // all, in the order of the configuration
  };
  using ChangePtr = std::shared_ptr<Change>;
  using OnPrepared = std::function<void(const Result<ChangePtr>&)>;

  TlsSides(net::Loop& loop, log::ClusterLog log);
  TlsSides(const TlsSides&) = delete;
  TlsSides& operator=(const TlsSides&) = delete;

  [[nodiscard]] TlsContexts contexts() const;
  // If `change` is used.
  [[nodiscard]] TlsContexts contexts_with(const Change& change) const;
  [[nodiscard]] const NodeSide& nodes() const { return nodes_; }
  // Of all sides to clients together; the end is that of the certificate that ends first.
  [[nodiscard]] CertificateCounts client_counts() const;

  // From now on the files are looked at, and who uses the contexts is told of new ones.
  using OnNewToClients = std::function<void(const Certificates::Context& before, const Certificates::Context& made)>;
  void watch(Duration interval, Certificates::OnNew to_nodes, OnNewToClients to_clients);
  void set_interval(Duration interval);
  void reload();  // Certificates::reload() of all

  // Reads what another configuration needs, and calls back: within the call if nothing is to be read. An error if it
  // cannot be used, or would put a certificate that is not valid in place of one that is. REQUIRES: the one before has
  // called back.
  void prepare(const config::Config& config, bool any_node_is_tls, OnPrepared on_prepared);
  // Its counters go on. Users are not told.
  void use(Change& change);

 private:
  struct Preparation;

  template <typename Options>
  void read(Side<Options>& side, const Certificates::Context& before, std::string_view name);
  void tell_prepared();
  // Of a listener that was at that address before.
  [[nodiscard]] Certificates::Context context_before(const std::string& address) const;
  void put_nodes(std::optional<NodeSide>& next);
  void put_clients(Change& change);
  void watch_clients(ClientSide& side);
  void retire(std::unique_ptr<Certificates> certificates);
  void forget_retired();

  net::Loop& loop_;
  const log::ClusterLog log_;
  NodeSide nodes_;
  std::vector<ClientSide> clients_;
  std::vector<Listener> listeners_;
  std::uint64_t past_reloads_ = 0, past_failures_ = 0;  // of sides to clients that are no more
  Duration interval_{};
  Certificates::OnNew to_nodes_;
  OnNewToClients to_clients_;
  std::shared_ptr<Preparation> pending_;
  // Replaced, or of no use, while their files were being read: to be destroyed once that is over, for waiting would
  // stop the loop.
  std::vector<std::unique_ptr<Certificates>> retired_;
  net::Timer retired_timer_;
};

}  // namespace bellwether::app
