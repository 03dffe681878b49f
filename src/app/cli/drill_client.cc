#include "drill_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "bellwether/http/serialize.h"

namespace bellwether::app {
namespace {

// Whether the leader itself has answered, be it that it refuses.
bool is_answer_of_leader(const wire::Reply& reply, bool has_token) {
  if (has_token) return reply.status == 200;
  return reply.status == 200 || reply.status == 400 || reply.status == 403 || reply.status == 404;
}

bool is_end_of_connection(const tl::expected<wire::Reply, wire::ExchangeError>& answer) {
  using wire::ExchangeFailure;
  return !answer &&
         (answer.error().failure == ExchangeFailure::kClosed || answer.error().failure == ExchangeFailure::kReset);
}

}  // namespace

DrillClient::DrillClient(net::Loop& loop, DrillTarget target)
    : loop_(loop), target_(std::move(target)), next_(loop, [this] { send(); }) {
  next_.arm_in(Duration::zero());
}

DrillClient::~DrillClient() = default;

void DrillClient::stop() { next_.cancel(); }

bool DrillClient::is_busy() const {
  return std::any_of(clients_.begin(), clients_.end(), [](const auto& client) { return client->is_busy(); });
}

void DrillClient::send() {
  if (askings_.size() + kConnections >= kMaxAskings) return;
  next_.arm_in(kPace);
  auto free = std::find_if(clients_.begin(), clients_.end(), [](const auto& client) { return !client->is_busy(); });
  if (free == clients_.end()) {
    if (clients_.size() == kConnections) return;
    free = clients_.insert(clients_.end(), std::make_unique<wire::Client>(loop_, target_.connection));
  }
  ask(**free, loop_.precise_now());
}

void DrillClient::ask(wire::Client& client, TimePoint sent) {
  http::Request request;
  request.method = "GET";
  request.target = target_.token.empty() ? "/v1/cubbyhole/bellwether-rehearsal" : "/v1/auth/token/lookup-self";
  request.host = target_.host;
  if (!target_.token.empty()) request.headers.push_back({"X-Vault-Token", target_.token});
  client.send(http::serialize(request), request.method,
              [this, at = &client, sent, was_kept = client.is_connected()](const Answer& answer) {
                was_kept&& is_end_of_connection(answer) ? ask(*at, sent) : on_end(sent, answer);
              });
}

void DrillClient::on_end(TimePoint sent, const Answer& answer) {
  drill::Asking done{sent, loop_.precise_now(), ""};
  if (!answer) {
    done.failure = answer.error().message;
  } else if (!is_answer_of_leader(*answer, !target_.token.empty())) {
    done.failure = fmt::format("status {}", answer->status);
  }
  askings_.push_back(std::move(done));
}

}  // namespace bellwether::app
