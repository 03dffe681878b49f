#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bellwether/probe/prober.h"
#include "bellwether/wire/client.h"

namespace bellwether::probe {

// What the links of every node have in common.
struct LinkOptions {
  Duration timeout_connect{};
  Duration timeout_check{};
  std::optional<net::Address> source;
  std::string preamble;  // a PROXY header
  std::vector<http::HeaderField> headers;

  friend bool operator==(const LinkOptions&, const LinkOptions&) = default;
};

// How a probe ended: a whole HTTP answer, or why there was none.
using ProbeEnd = tl::expected<wire::Reply, wire::ExchangeError>;

// Our connections to one node: a kept-alive one for probes, at times a second one because the first may be dead, and
// one for questions, opened when first needed. Owned by the prober; calls back on its loop, perhaps within the call.
class NodeLinks {
 public:
  using OnProbeEnd = std::function<void(cluster::ProbeId, ProbeEnd)>;
  using OnQuestionEnd = std::function<void(ProbeEnd)>;
  using OnIdleEnd = std::function<void(wire::ExchangeFailure)>;
  using OnLostSyn = std::function<void()>;

  NodeLinks(net::Loop& loop, const ProbeTarget& target, const LinkOptions& options, OnProbeEnd on_probe_end,
            OnQuestionEnd on_question_end, OnIdleEnd on_idle_end, OnLostSyn on_lost_syn);

  void probe(cluster::ProbeId probe, bool fresh_connection);
  // Dropped if the last question has not been answered yet.
  void ask_leader();
  // Where the node is and how it is spoken to, from the next connection on. An address that is not known stays as it
  // was.
  void set_target(const ProbeTarget& target);
  // From the next connection on, as above.
  void set_options(const LinkOptions& options);
  // Ends all of them, and calls back no more.
  void close();
  // Idle connections to the old address end now, busy ones after their answer.
  void set_address(const net::Address& address);
  // Likewise: what was made by the old certificates ends. A node without TLS stays without.
  void set_tls(const std::shared_ptr<net::TlsContext>& tls);
  [[nodiscard]] const std::optional<net::Address>& address() const { return target_.address; }
  void set_unresolved(const std::string& why) { target_.unresolved = why; }
  [[nodiscard]] const vault::NodeSetUp& set_up() const { return target_.set_up; }

 private:
  struct Link {
    std::shared_ptr<wire::Client> client;
    bool busy = false;
    bool is_outdated = false;    // to an old address, or by old certificates
    std::uint64_t asked = 0;     // when the last probe went out over it, and when one was last answered: places in
    std::uint64_t answered = 0;  // the order of all such moments of this node
  };

  [[nodiscard]] std::shared_ptr<wire::Client> open();
  [[nodiscard]] Link& choose(bool fresh_connection);
  [[nodiscard]] bool has_outlived_a_probe(const Link& link) const;
  [[nodiscard]] Duration connect_patience() const;
  void note_answer(const wire::Reply& reply);
  void on_end(const std::shared_ptr<wire::Client>& client, cluster::ProbeId probe, ProbeEnd end);
  void outdate();
  void drop_surplus();
  void retire(std::shared_ptr<wire::Client> client);
  [[nodiscard]] ProbeEnd no_address() const;

  net::Loop& loop_;
  ProbeTarget target_;
  LinkOptions options_;
  OnProbeEnd on_probe_end_;
  OnQuestionEnd on_question_end_;
  OnIdleEnd on_idle_end_;
  OnLostSyn on_lost_syn_;
  std::vector<Link> links_;
  std::uint64_t moments_ = 0;
  std::optional<TimePoint> heard_;       // when a probe was last answered
  Duration quickest_ = Duration::max();  // the quickest answer: the round trip is no longer
  std::shared_ptr<wire::Client> questions_;
};

}  // namespace bellwether::probe
