#include "doctor.h"

#include <fmt/format.h>

#include <memory>

#include "app/discovery/nodes.h"
#include "app/service/plan.h"
#include "bellwether/base/visible.h"
#include "bellwether/net/resolver.h"
#include "commands.h"

namespace bellwether::app {
namespace {

constexpr Duration kResolvePatience = 5s;

// Asks one node for sys/health, then sys/leader, on one connection.
class Examination {
 public:
  Examination(net::Loop& loop, const NodePlan& plan, const probe::ProberOptions& options,
              const probe::ProbeTarget& target)
      : host_(target.host_header), headers_(options.headers) {
    found_.name = plan.name;
    found_.url = plan.url;
    found_.tls = plan.tls;
    found_.set_up = target.set_up;
    found_.same_as = plan.same_as;
    if (!plan.address) {
      found_.failure = wire::ExchangeError{wire::ExchangeFailure::kUnreachable, plan.unresolved};
      is_done_ = true;
      return;
    }
    found_.address = plan.address->to_string();
    wire::Client::Options ask;
    ask.address = *plan.address;
    ask.connect.tls = target.tls;
    ask.connect.server_name = target.server_name;
    ask.connect.source = options.source;
    ask.connect.preamble = net::proxy_header_local(options.send_proxy);
    ask.connect.timeout = options.timeout_connect;
    ask.answer_timeout = options.timeout_check;
    client_ = std::make_unique<wire::Client>(loop, std::move(ask));
    client_->send(vault::health_request(host_, headers_), "GET", [this](auto reply) { on_health(std::move(reply)); });
  }

  [[nodiscard]] bool is_done() const { return is_done_; }
  [[nodiscard]] const Examined& found() const { return found_; }
  // Its client's callback has returned by then: the loop is not turning.
  void ask_for_leader() {
    if (!wants_leader_ || client_->is_busy()) return;
    wants_leader_ = false;
    client_->send(vault::leader_request(host_, headers_), "GET", [this](auto reply) { on_leader(std::move(reply)); });
  }

 private:
  using Answer = tl::expected<wire::Reply, wire::ExchangeError>;

  void on_health(Answer reply) {
    if (!reply) {
      found_.failure = reply.error();
      is_done_ = true;
      return;
    }
    found_.facts = vault::classify_health(reply->status, reply->body);
    found_.latency = reply->received - reply->sent;
    if (found_.facts.server_time_utc) {
      const auto ours = std::chrono::system_clock::now().time_since_epoch();
      found_.clock_ahead =
          std::chrono::seconds(*found_.facts.server_time_utc) - duration_cast<std::chrono::seconds>(ours);
    }
    wants_leader_ = true;
  }
  void on_leader(Answer reply) {
    is_done_ = true;
    if (!reply) return;  // what it said of itself counts; this is only corroboration
    if (auto facts = vault::parse_leader(reply->status, reply->body)) found_.leader = std::move(*facts);
  }

  std::string host_;
  std::vector<http::HeaderField> headers_;
  Examined found_;
  bool wants_leader_ = false;
  bool is_done_ = false;
  std::unique_ptr<wire::Client> client_;
};

}  // namespace

Result<std::vector<Examined>> examine_nodes(const config::Config& config) {
  auto loop = net::Loop::create({.precise_timers = true});
  if (!loop) return tl::unexpected(loop.error());
  auto tls = net::TlsContext::client(
      {config.ca_file, config.ca_path, config.client_cert, config.client_key, config.verify, {"http/1.1"}});
  if (!tls) return tl::unexpected(tls.error().within("TLS to the nodes"));
  net::Resolver resolver(**loop);
  auto plans = plan_nodes(config.nodes, resolve_all(**loop, resolver, config.nodes, kResolvePatience));
  if (!plans) return tl::unexpected(plans.error());
  const auto options = prober_options(config, *plans, *tls);
  if (!options) return tl::unexpected(options.error());
  std::vector<std::unique_ptr<Examination>> all;
  for (std::size_t i = 0; i < plans->size(); ++i) {
    all.push_back(std::make_unique<Examination>(**loop, (*plans)[i], *options, options->targets[i]));
  }
  // Connect, health, leader: each has its own deadline, this one is only for our own mistakes.
  (*loop)->run_until(
      [&] {
        bool all_done = true;
        for (const auto& each : all) {
          each->ask_for_leader();
          all_done = all_done && each->is_done();
        }
        return all_done;
      },
      2 * (config.timeout_connect + config.timeout_check) + 1s);
  std::vector<Examined> found;
  for (const auto& each : all) found.push_back(each->found());
  return found;
}

}  // namespace bellwether::app
