#include "dev_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "bellwether/http/serialize.h"

namespace bellwether::app {
namespace {

constexpr Duration kPace = 20ms;

wire::Client::Options client_options(const net::Address& proxy) {
  wire::Client::Options options;
  options.address = proxy;
  options.answer_timeout = 30s;
  return options;
}

}  // namespace

DevClient::DevClient(net::Loop& loop, const net::Address& proxy, std::string token)
    : loop_(loop),
      token_(std::move(token)),
      host_(proxy.to_string()),
      client_(loop, client_options(proxy)),
      next_(loop, [this] { send(); }) {
  next_.arm_in(kPace);
}

DevClient::Tally DevClient::take_tally() { return std::exchange(tally_, {}); }

void DevClient::stop() {
  stopped_ = true;
  next_.cancel();
  client_.close();
}

void DevClient::send() {
  if (stopped_ || client_.is_busy()) return;
  http::Request request;
  request.method = "PUT";
  request.target = "/v1/secret/data/bellwether-dev";
  request.host = host_;
  request.headers = {{"X-Vault-Token", token_}, {"Connection", "close"}};
  request.body = fmt::format(R"({{"data":{{"serial":{}}}}})", ++serial_);
  sent_ = loop_.precise_now();
  client_.send(http::serialize(request), request.method,
               [this](const tl::expected<wire::Reply, wire::ExchangeError>& reply) { on_reply(reply); });
}

void DevClient::on_reply(const tl::expected<wire::Reply, wire::ExchangeError>& reply) {
  tally_.longest = std::max(tally_.longest, loop_.precise_now() - sent_);
  if (reply && reply->status == 200) {
    ++tally_.ok;
    last_good_sent_ = sent_;
  } else {
    ++tally_.failed;
    if (tally_.first_failure.empty()) {
      tally_.first_failure = reply ? fmt::format("status {}", reply->status) : reply.error().message;
    }
  }
  if (!stopped_) next_.arm_in(kPace);
}

}  // namespace bellwether::app
