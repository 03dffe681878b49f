#include "node_links.h"

#include <algorithm>
#include <utility>

#include "bellwether/vault/health.h"

namespace bellwether::probe {
namespace {

constexpr Duration kLeastConnectPatience = 50ms;
constexpr int kRoundTrips = 4;     // that a SYN is given to be answered
constexpr int kSilenceShare = 50;  // of a silence's length: what the end of it is noticed late by, at most

}  // namespace

NodeLinks::NodeLinks(net::Loop& loop, const ProbeTarget& target, const LinkOptions& options, OnProbeEnd on_probe_end,
                     OnQuestionEnd on_question_end, OnIdleEnd on_idle_end, OnLostSyn on_lost_syn)
    : loop_(loop),
      target_(target),
      options_(options),
      on_probe_end_(std::move(on_probe_end)),
      on_question_end_(std::move(on_question_end)),
      on_idle_end_(std::move(on_idle_end)),
      on_lost_syn_(std::move(on_lost_syn)) {}

std::shared_ptr<wire::Client> NodeLinks::open() {
  wire::Client::Options options;
  options.address = *target_.address;
  options.connect.tls = target_.tls;
  options.connect.server_name = target_.server_name;
  options.connect.source = options_.source;
  options.connect.preamble = options_.preamble;
  options.connect.timeout = options_.timeout_connect;
  options.connect_patience = [this] { return connect_patience(); };
  options.on_lost_syn = on_lost_syn_;
  options.answer_timeout = options_.timeout_check;
  auto client = std::make_shared<wire::Client>(loop_, std::move(options));
  client->set_on_idle_end([this](wire::ExchangeFailure failure) { on_idle_end_(failure); });
  return client;
}

NodeLinks::Link& NodeLinks::choose(bool fresh_connection) {
  const auto usable = std::find_if(links_.begin(), links_.end(), [&](const Link& link) {
    if (link.busy || link.is_outdated) return false;
    return !fresh_connection || !link.client->is_connected() || has_outlived_a_probe(link);
  });
  if (usable != links_.end()) return *usable;
  return links_.emplace_back(Link{.client = open()});
}

// Answered since a probe that still waits was sent: it is as good as a fresh one.
bool NodeLinks::has_outlived_a_probe(const Link& link) const {
  return std::any_of(links_.begin(), links_.end(),
                     [&](const Link& other) { return other.busy && other.asked < link.answered; });
}

void NodeLinks::probe(cluster::ProbeId probe, bool fresh_connection) {
  if (!target_.address) {
    on_probe_end_(probe, no_address());
    return;
  }
  Link& link = choose(fresh_connection);
  link.busy = true;
  link.asked = ++moments_;
  const auto client = link.client;
  client->send(
      vault::health_request(target_.host_header, options_.headers), "GET",
      [this, weak = std::weak_ptr(client), probe](ProbeEnd end) { on_end(weak.lock(), probe, std::move(end)); });
}

// While a network lets nothing through, the kernel repeats a SYN after 1, 2, 4 s: so long after its end we would not
// know. A node that never answered may be as far away as it likes.
Duration NodeLinks::connect_patience() const {
  if (!heard_) return options_.timeout_connect;
  const Duration silence = loop_.precise_now() - *heard_;
  return std::max({kLeastConnectPatience, quickest_ * kRoundTrips, silence / kSilenceShare});
}

void NodeLinks::note_answer(const wire::Reply& reply) {
  heard_ = reply.received;
  quickest_ = std::min(quickest_, reply.received - reply.sent);
}

void NodeLinks::on_end(const std::shared_ptr<wire::Client>& client, cluster::ProbeId probe, ProbeEnd end) {
  if (end) note_answer(*end);
  for (Link& link : links_) {
    if (link.client != client) continue;
    link.busy = false;
    if (end) link.answered = ++moments_;
  }
  drop_surplus();
  on_probe_end_(probe, std::move(end));
}

// Of the links without a probe, the one that was answered last is kept.
void NodeLinks::drop_surplus() {
  std::uint64_t newest = 0;
  for (const Link& link : links_) {
    if (!link.busy && !link.is_outdated) newest = std::max(newest, link.answered);
  }
  bool kept = false;
  for (auto link = links_.begin(); link != links_.end();) {
    const bool keep = link->busy || (!link->is_outdated && link->answered == newest && !kept);
    if (!link->busy && keep) kept = true;
    if (keep) {
      ++link;
    } else {
      retire(std::move(link->client));
      link = links_.erase(link);
    }
  }
}

void NodeLinks::ask_leader() {
  if (!target_.address) return;
  if (!questions_) questions_ = open();
  if (questions_->is_busy()) return;
  questions_->send(vault::leader_request(target_.host_header, options_.headers), "GET",
                   [this](ProbeEnd end) { on_question_end_(std::move(end)); });
}

void NodeLinks::set_target(const ProbeTarget& target) {
  const std::optional<net::Address> address = target_.address;
  const bool is_spoken_to_alike = target_.tls == target.tls && target_.server_name == target.server_name &&
                                  target_.host_header == target.host_header;
  target_ = target;
  target_.address = address;
  if (!is_spoken_to_alike) outdate();
  if (target.address) set_address(*target.address);
}

void NodeLinks::set_options(const LinkOptions& options) {
  if (options_ == options) return;
  options_ = options;
  outdate();
}

void NodeLinks::close() {
  for (Link& link : std::exchange(links_, {})) retire(std::move(link.client));
  if (questions_) retire(std::move(questions_));
}

void NodeLinks::set_address(const net::Address& address) {
  if (target_.address == address) return;
  target_.address = address;
  heard_.reset();
  quickest_ = Duration::max();
  outdate();
}

void NodeLinks::set_tls(const std::shared_ptr<net::TlsContext>& tls) {
  if (!target_.tls) return;
  target_.tls = tls;
  outdate();
}

void NodeLinks::outdate() {
  for (Link& link : links_) link.is_outdated = true;
  drop_surplus();
  // An unanswered question is worth nothing once it is about another address.
  if (questions_) retire(std::move(questions_));
}

// Destroyed when no callback of it can be running.
void NodeLinks::retire(std::shared_ptr<wire::Client> client) {
  client->close();
  loop_.at_turn_end([dead = std::move(client)] {});
}

ProbeEnd NodeLinks::no_address() const {
  return tl::unexpected(wire::ExchangeError{wire::ExchangeFailure::kUnreachable, target_.unresolved.empty()
                                                                                     ? "its name has no address yet"
                                                                                     : target_.unresolved});
}

}  // namespace bellwether::probe
