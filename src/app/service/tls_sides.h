#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "app/files/certificates.h"
#include "bellwether/base/result.h"
#include "bellwether/config/config.h"
#include "bellwether/net/loop.h"
#include "bellwether/net/tls.h"
#include "plan.h"

namespace bellwether::app {

// How a running service speaks TLS: with its nodes, if any of them wants it, and with clients, if there is a tls_cert.
// Each side has the options that its context is made by, and the certificates that are read again. Control thread.
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

  // What a side becomes; nothing: it stays as it is.
  struct Change {
    std::optional<NodeSide> nodes;
    std::optional<ClientSide> clients;
  };
  using ChangePtr = std::shared_ptr<Change>;
  using OnPrepared = std::function<void(const Result<ChangePtr>&)>;

  explicit TlsSides(net::Loop& loop);
  TlsSides(const TlsSides&) = delete;
  TlsSides& operator=(const TlsSides&) = delete;

  // The first time. Turns the loop while it reads.
  [[nodiscard]] Result<void> load(const config::Config& config, bool any_node_is_tls);
  [[nodiscard]] TlsContexts contexts() const { return {nodes_.context(), clients_.context()}; }
  // If `change` is used.
  [[nodiscard]] TlsContexts contexts_with(const Change& change) const;
  [[nodiscard]] const NodeSide& nodes() const { return nodes_; }
  [[nodiscard]] const ClientSide& clients() const { return clients_; }

  // From now on the files are looked at, and who uses the contexts is told of new ones.
  void watch(Duration interval, Certificates::OnNew to_nodes, Certificates::OnNew to_clients);
  void set_interval(Duration interval);
  void reload();  // Certificates::reload() of both

  // Reads what another configuration needs, and calls back: within the call if nothing is to be read. An error if it
  // cannot be used, or would put a certificate that is not valid in place of one that is. REQUIRES: the one before has
  // called back.
  void prepare(const config::Config& config, bool any_node_is_tls, OnPrepared on_prepared);
  // Its counters go on. Users are not told.
  void use(Change& change);

 private:
  struct Preparation;

  template <typename Options>
  void read(Side<Options>& side, const Side<Options>& before, std::string_view name);
  void tell_prepared();
  template <typename Options>
  void put(Side<Options>& side, std::optional<Side<Options>>& next, const Certificates::OnNew& on_new);
  void retire(std::unique_ptr<Certificates> certificates);
  void forget_retired();

  net::Loop& loop_;
  NodeSide nodes_;
  ClientSide clients_;
  Duration interval_{};
  Certificates::OnNew to_nodes_;
  Certificates::OnNew to_clients_;
  std::shared_ptr<Preparation> pending_;
  // Replaced, or of no use, while their files were being read: to be destroyed once that is over, for waiting would
  // stop the loop.
  std::vector<std::unique_ptr<Certificates>> retired_;
  net::Timer retired_timer_;
};

}  // namespace bellwether::app
