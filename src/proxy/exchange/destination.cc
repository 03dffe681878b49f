#include "destination.h"

#include <fmt/format.h>

#include <utility>

#include "proxy/core/worker_core.h"

namespace bellwether::proxy {
namespace {

constexpr int kMisdirected = 421;  // RFC 9110 section 15.5.20; Vault's clients do not send a 4xx again
constexpr int kMostInitSends = 2;  // a kept connection may have ended before a byte went

}  // namespace

// What the UI asks before anybody has logged in is for the leader where there is one. So is what a cluster without a
// leader may be waiting for: to hold that would be to wait for ourselves.
cluster::RouteRequest Destination::wanted() const {
  cluster::RouteRequest wanted{.tried = request_.tried};
  if (request_.request_class == vault::RequestClass::kNodeLocal) {
    wanted.accepts = cluster::Accepts::kAnyNode;
  } else if (request_.request_class == vault::RequestClass::kBootstrap) {
    wanted.role = vault::role_to_bootstrap(request_.path);
    const bool is_init = wanted.role == cluster::Role::kUninitialized;
    wanted.accepts = is_init ? cluster::Accepts::kLeaderOrInit : cluster::Accepts::kLeaderOrRole;
  } else if (request_.is_ui_question) {
    wanted.accepts = cluster::Accepts::kLeaderOrAnyNode;
  }
  return wanted;
}

Destination::Choice Destination::choose_next(bool others_wait) {
  const cluster::RouteRequest wanted = this->wanted();
  request_.is_for_leader = worker_.is_for_leader(wanted.accepts);
  if (is_bootstrap_now()) return bootstrap(wanted, others_wait);
  return follow(worker_.route(wanted), wanted, others_wait);
}

Destination::Choice Destination::follow(const cluster::Route& route, const cluster::RouteRequest& wanted,
                                        bool others_wait) {
  if (const auto* refuse = std::get_if<cluster::Refuse>(&route)) {
    const bool lacks_role = refuse->reason == cluster::RefuseReason::kNoNodeInRole;
    std::string why = lacks_role ? fmt::format("no leader, and no node that says {}", cluster::to_text(wanted.role))
                                 : std::string("no node of the cluster that is in service answers");
    return Nobody{std::move(why), ended_by_node(Phase::kConnecting)};
  }
  const auto node = cluster::node_of(route);
  const bool has_to_wait = request_.is_for_leader && (request_.sends > 0 || others_wait);
  if (!node || has_to_wait) return Wait{};
  if (!request_.is_for_leader) request_.tried.push_back(*node);
  return Node{*node};
}

bool Destination::is_bootstrap_now() const {
  return request_.request_class == vault::RequestClass::kBootstrap && !worker_.is_for_leader(wanted().accepts);
}

Destination::Choice Destination::bootstrap(const cluster::RouteRequest& wanted, bool others_wait) {
  if (!worker_.options().bootstrap) {
    constexpr const char* kWhy =
        "no leader, and bellwether does not choose the node that is initialized or unsealed: send this to a node's own "
        "address, or set \"bootstrap\"";
    return Nobody{kWhy, refused_by_us(Phase::kRequest), kMisdirected};
  }
  if (wanted.accepts == cluster::Accepts::kLeaderOrInit) return begin_init();
  return follow(worker_.route(wanted), wanted, others_wait);
}

bool Destination::needs_no_leader() const {
  const cluster::RouteRequest wanted = this->wanted();
  return !worker_.is_for_leader(wanted.accepts) && !std::holds_alternative<cluster::Hold>(worker_.route(wanted));
}

// Each node that carries it out becomes a cluster of its own, so at most one may.
Destination::Choice Destination::begin_init() {
  if (request_.sends >= kMostInitSends) {
    return Nobody{"nothing was initialized: the node could not be reached", ended_by_node(Phase::kConnecting)};
  }
  const auto node = worker_.shared().init.begin(*worker_.view());
  if (!node) {
    const int status = node.error().kind == ErrorKind::kUnavailable ? 503 : kMisdirected;
    return Nobody{"nothing was initialized: " + node.error().message, refused_by_us(Phase::kRequest), status};
  }
  request_.is_init = true;
  request_.tried.push_back(*node);
  return Node{*node};
}

void Destination::end_init(InitGuard::Outcome outcome) {
  if (std::exchange(request_.is_init, false)) worker_.shared().init.end(outcome, worker_.now());
}

}  // namespace bellwether::proxy
