#include "proxy/exchange/exchange.h"

#include <memory>
#include <utility>
#include <vector>

#include "catch.hpp"

namespace bellwether::proxy {
namespace {

// Its request was answered, and has left traces in all that it could.
void use(Exchange& exchange) {
  exchange.in.append("GET /v1/secret HTTP/1.1");
  exchange.in.clear();
  exchange.to_node.start() = "GET /v1/secret HTTP/1.1";
  exchange.to_node.end_head();
  exchange.to_node.mark_sent(exchange.to_node.unsent().size());
  exchange.request.path = "/v1/secret/data/of-a-client-that-has-left";
  exchange.request.id = "id-1";
  exchange.request.why = "it failed";
  exchange.request.sends = 3;
  exchange.request.tried.push_back({1});
  exchange.request.row = vault::Row::kAnswered;
  exchange.request.is_for_leader = false;
  exchange.request.target = std::make_unique<const RequestTarget>(RequestTarget{"/v1/secret", "vault.example"});
  exchange.request.names_node = true;
  exchange.attempt.node = {2};
  exchange.attempt.sent = 100;
  exchange.attempt.ended = NodeEnd::kBroken;
  exchange.attempt.all_sent_at = exchange.attempt.answered_at = TimePoint{} + 1s;
  exchange.proof.epoch = 7;
  exchange.answer.has_begun = true;
  exchange.answer.status = 200;
  exchange.answer.is_last = true;
}

}  // namespace

TEST_CASE("an exchange that was used before tells the next client nothing of it", "[proxy][exchange]") {
  ExchangePool<Exchange> pool;
  auto first = pool.take();
  const Exchange* const place = first.get();
  use(*first);
  pool.give_back(std::move(first));
  const auto again = pool.take();
  REQUIRE(again.get() == place);
  CHECK(again->request.path.empty());
  CHECK(again->request.id.empty());
  CHECK(again->request.why.empty());
  CHECK(again->request.sends == 0);
  CHECK(again->request.tried.empty());
  CHECK_FALSE(again->request.row);
  CHECK(again->request.is_for_leader);
  CHECK_FALSE(again->request.target);
  CHECK_FALSE(again->request.names_node);
  CHECK(again->attempt.node == NodeId{});
  CHECK(again->attempt.sent == 0);
  CHECK(again->attempt.ended == NodeEnd::kNone);
  CHECK(again->attempt.all_sent_at == kNever);
  CHECK(again->attempt.answered_at == kNever);
  CHECK(again->proof.epoch == 0);
  CHECK_FALSE(again->answer.has_begun);
  CHECK(again->answer.status == 0);
  CHECK_FALSE(again->answer.is_last);
  CHECK(again->to_node.unsent().empty());
  CHECK(again->request_body.done());
}

TEST_CASE("a pool keeps a few exchanges, and none with big buffers", "[proxy][exchange]") {
  ExchangePool<Exchange> pool;
  std::vector<std::unique_ptr<Exchange>> many;
  for (int i = 0; i < 100; ++i) {
    many.push_back(pool.take());
    many.back()->in.append(std::string(100'000, 'x'));
    many.back()->in.clear();
    many.back()->request.path.assign(100'000, 'x');
  }
  for (auto& exchange : many) pool.give_back(std::move(exchange));
  CHECK(pool.size() == ExchangePool<Exchange>::kKept);
  const auto again = pool.take();
  CHECK(again->in.capacity() < 5'000);
  CHECK(again->request.path.capacity() < 5'000);
}

}  // namespace bellwether::proxy
