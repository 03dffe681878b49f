#include "node_examination.h"

#include <algorithm>
#include <utility>

#include "bellwether/net/proxy_protocol.h"

namespace bellwether::app {
namespace {

constexpr std::size_t kMaxBodyBytes = 64 * 1024;  // what Vault answers here has less than 1 KiB

Examined of_plan(const NodePlan& plan, const probe::ProbeTarget& target) {
  Examined found;
  found.name = plan.name;
  found.url = plan.url;
  found.tls = plan.tls;
  found.set_up = target.set_up;
  found.same_as = plan.same_as;
  if (plan.address) {
    found.address = plan.address->to_string();
  } else {
    found.failure = wire::ExchangeError{wire::ExchangeFailure::kUnreachable, plan.unresolved};
  }
  return found;
}

// Whether the failure may come from the way of asking, and not from the node or the way to it.
bool may_be_our_way(const std::optional<wire::ExchangeError>& failure, const cluster::HealthFacts& facts,
                    bool sends_proxy) {
  using wire::ExchangeFailure;
  if (!failure) return facts.role == cluster::Role::kError && facts.status == 400;
  const ExchangeFailure kind = failure->failure;
  return kind == ExchangeFailure::kClosed || kind == ExchangeFailure::kReset || kind == ExchangeFailure::kProtocol ||
         (kind == ExchangeFailure::kTls && sends_proxy);
}

bool is_vaults(const tl::expected<wire::Reply, wire::ExchangeError>& reply) {
  return reply && vault::classify_health(reply->status, reply->body).role != cluster::Role::kError;
}

}  // namespace

NodeExamination::NodeExamination(net::Loop& loop, const NodePlan& plan, const probe::ProberOptions& options,
                                 const probe::ProbeTarget& target, std::shared_ptr<net::TlsContext> unverified,
                                 const std::vector<net::Address>& other_family)
    : loop_(loop),
      host_(target.host_header),
      headers_(options.headers),
      unverified_(std::move(unverified)),
      found_(of_plan(plan, target)) {
  if (!plan.address) {
    next_ = Next::kDone;
    return;
  }
  options_.address = *plan.address;
  options_.connect.tls = target.tls;
  options_.connect.server_name = target.server_name;
  options_.connect.source = options.source;
  options_.connect.preamble = net::proxy_header_local(options.send_proxy);
  options_.connect.timeout = options.timeout_connect;
  options_.answer_timeout = options.timeout_check;
  options_.max_body_bytes = kMaxBodyBytes;
  ask(options_, [this](const Answer& reply) { on_health(reply); });
  if (options_.connect.tls) look_ = std::make_unique<CertificateLook>(loop, options_.address, options_.connect);
  ask_other_family(other_family);
}

NodeExamination::~NodeExamination() = default;

void NodeExamination::ask(wire::Client::Options options, OnAnswer on_answer) {
  clients_.push_back(std::make_unique<wire::Client>(loop_, std::move(options)));
  clients_.back()->send(vault::health_request(host_, headers_), "GET",
                        [told = std::move(on_answer)](const Answer& reply) { told(reply); });
}

void NodeExamination::on_health(const Answer& reply) {
  const auto now = std::chrono::system_clock::now();
  if (!reply) {
    found_.failure = reply.error();
  } else {
    found_.facts = vault::classify_health(reply->status, reply->body);
    found_.latency = reply->received - reply->sent;
    if (found_.facts.server_time_utc) {
      const auto ours = duration_cast<std::chrono::seconds>(now.time_since_epoch());
      found_.clock_ahead = std::chrono::seconds(*found_.facts.server_time_utc) - ours;
    }
  }
  const bool is_our_way = may_be_our_way(found_.failure, found_.facts, found_.set_up.sends_proxy);
  next_ = is_our_way ? Next::kOtherWays : reply ? Next::kLeader : Next::kDone;
}

void NodeExamination::on_leader(const Answer& reply) {
  next_ = Next::kDone;
  if (!reply) return;  // what it said of itself counts; this is only corroboration
  if (auto facts = vault::parse_leader(reply->status, reply->body)) found_.leader = std::move(*facts);
}

void NodeExamination::go_on() {
  if (look_ && look_->is_done()) {
    found_.certificate = look_->life();
    found_.certificate_names = look_->dns_names();
  }
  if (next_ == Next::kLeader) ask_for_leader();
  if (next_ == Next::kOtherWays) try_other_ways();
}

void NodeExamination::ask_for_leader() {
  next_ = Next::kWait;
  clients_.front()->send(vault::leader_request(host_, headers_), "GET",
                         [this](const Answer& reply) { on_leader(reply); });
}

void NodeExamination::try_other_ways() {
  next_ = Next::kDone;
  wire::Client::Options preamble = options_;
  preamble.connect.preamble =
      options_.connect.preamble.empty() ? net::proxy_header_local(net::ProxyVersion::kV1) : std::string();
  ask(std::move(preamble), [this](const Answer& reply) { found_.other_ways.other_preamble_works = is_vaults(reply); });
  if (found_.tls) return;
  wire::Client::Options over_tls = options_;
  over_tls.connect.tls = unverified_;
  found_.other_ways.was_tls_tried = true;
  ask(std::move(over_tls), [this](const Answer& reply) { found_.other_ways.tls_answers = reply.has_value(); });
}

void NodeExamination::ask_other_family(const std::vector<net::Address>& addresses) {
  const std::size_t count = std::min(addresses.size(), kMaxOthers);
  for (std::size_t i = 0; i < count; ++i) {
    found_.other_family.push_back({addresses[i].to_string(), false});
    wire::Client::Options other = options_;
    other.address = addresses[i];
    ask(std::move(other), [this, i](const Answer& reply) {
      using wire::ExchangeFailure;
      found_.other_family[i].is_closed = !reply && (reply.error().failure == ExchangeFailure::kRefused ||
                                                    reply.error().failure == ExchangeFailure::kConnectTimeout);
    });
  }
}

bool NodeExamination::is_done() const {
  const bool any_busy =
      std::any_of(clients_.begin(), clients_.end(), [](const auto& client) { return client->is_busy(); });
  return next_ == Next::kDone && !any_busy && (!look_ || look_->is_done());
}

}  // namespace bellwether::app
