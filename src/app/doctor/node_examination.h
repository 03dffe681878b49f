#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/discovery/nodes.h"
#include "bellwether/net/tls.h"
#include "bellwether/probe/prober.h"
#include "bellwether/wire/client.h"
#include "certificate_look.h"
#include "examined.h"

namespace bellwether::app {

// Asks one node for sys/health, then sys/leader, on one connection. Where it gets no answer of Vault's it tries the
// other ways of asking, side by side: over TLS, and with or without a PROXY header. Addresses of the name's other
// family are asked at the same time, and a node over TLS is looked at for its certificate. Each exchange has its own
// deadline.
class NodeExamination {
 public:
  // `unverified`: for the attempt over TLS. `other_family`: at most kMaxOthers are asked.
  NodeExamination(net::Loop& loop, const NodePlan& plan, const probe::ProberOptions& options,
                  const probe::ProbeTarget& target, std::shared_ptr<net::TlsContext> unverified,
                  const std::vector<net::Address>& other_family);
  ~NodeExamination();
  NodeExamination(const NodeExamination&) = delete;
  NodeExamination& operator=(const NodeExamination&) = delete;

  static constexpr std::size_t kMaxOthers = 8;

  // Goes one step further if an answer has come. REQUIRES: not called from within the loop, so that callbacks of
  // clients have returned.
  void go_on();
  [[nodiscard]] bool is_done() const;
  [[nodiscard]] const Examined& found() const { return found_; }

 private:
  using Answer = tl::expected<wire::Reply, wire::ExchangeError>;
  using OnAnswer = std::function<void(const Answer&)>;
  enum class Next : std::uint8_t { kWait, kLeader, kOtherWays, kDone };

  void ask(wire::Client::Options options, OnAnswer on_answer);
  void on_health(const Answer& reply);
  void on_leader(const Answer& reply);
  void ask_for_leader();
  void try_other_ways();
  void ask_other_family(const std::vector<net::Address>& addresses);

  net::Loop& loop_;
  std::string host_;
  std::vector<http::HeaderField> headers_;
  wire::Client::Options options_;
  std::shared_ptr<net::TlsContext> unverified_;
  Examined found_;
  Next next_ = Next::kWait;
  std::vector<std::unique_ptr<wire::Client>> clients_;  // the first asks as the configuration says
  std::unique_ptr<CertificateLook> look_;               // null: not over TLS
};

}  // namespace bellwether::app
