#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "bellwether/base/time.h"
#include "bellwether/http/head.h"
#include "bellwether/http/serialize.h"
#include "bellwether/vault/retry.h"
#include "delivery.h"
#include "proxy/core/end_reason.h"
#include "proxy/exchange/exchange.h"
#include "proxy/exchange/request_account.h"

namespace bellwether::proxy {

class HttpConnection;
class HttpFront;

// One request of a client's HTTP/1.1 connection, as the client sees it: its body is read, its answer written, its
// outcome settled. A Delivery takes it to a node, or to the Responder of its listener. Borrowed by its connection from
// the front's pool; it may go back there in each HttpConnection::pump(), and in nothing else. Used on its worker's
// thread only.
class HttpExchange final : private DeliveryUser {
 public:
  explicit HttpExchange(HttpFront& front);

  // For its connection.
  void bind(HttpConnection& connection);
  void restart();  // as Exchange::restart()
  [[nodiscard]] const Exchange& state() const { return exchange_; }
  [[nodiscard]] Stage stage() const { return exchange_.stage(); }
  [[nodiscard]] ByteQueue& input() { return exchange_.in; }  // from the client, not looked at yet
  [[nodiscard]] ByteQueue& output() { return exchange_.to_client; }
  void start(const http::RequestHead& head);  // of which the bytes are in input(), and leave it
  void reject(http::Reject reason);
  void refuse_late_head(TimePoint since);
  bool step();  // one round of what can be done with a node; false if nothing could
  void step_ends();
  bool on_tick(TimePoint now);  // whether there is something to be pumped now
  void count_down(std::size_t bytes) { account_.count_down(bytes); }
  void tell();
  void cut(EndReason reason);  // with its connection
  void cut_waiting();          // ... because it waits for the client, or for the node, for too long
  [[nodiscard]] bool is_last() const { return exchange_.answer.is_last; }  // the connection ends behind it
  [[nodiscard]] EndReason end_reason() const { return exchange_.request.end; }

  // For the front.
  [[nodiscard]] Delivery& delivery() { return delivery_; }

 private:
  // For its delivery.
  Delivery* pump() override;
  void answer_for(NodeId leader) override;
  void start_answer(const http::ResponseHead& head) override;
  void start_tunnel(const http::ResponseHead& head) override;
  void cut_answer(EndReason reason) override;
  void answer_ambiguous(vault::Row row, std::string_view body, EndReason reason) override;
  void answer_unserved(std::string_view why, EndReason reason, int status) override;

  // http_response.cc: what a Responder answers
  void start_for_responder(const http::RequestHead& head);
  bool drop_body();

  // http_exchange.cc: the request
  bool take_body();
  [[nodiscard]] bool has_left_while_held() const;
  void queue_body(std::string_view content);
  void refuse_body(http::Reject reason);

  // http_answer.cc: what the client gets
  bool take_answer();
  bool relay_body();
  void begin_answer(const http::ResponseHead& head);
  void finish_answer();
  void respond(int status, std::string_view why, bool may_keep_alive);
  void send(const http::Response& response, bool may_keep_alive);

  // http_tunnel.cc: both ways at once
  bool step_tunnel();
  void end_tunnel();

  // http_exchange_times.cc: what lasts too long
  void look_at_times(TimePoint now);
  void look_at_node(TimePoint now, bool is_idle);
  void cut_idle();
  void cut_stream_if_due(TimePoint now);

  HttpFront& front_;
  HttpConnection* connection_ = nullptr;  // its borrower
  Exchange exchange_;
  RequestAccount account_;
  Delivery delivery_;
};

}  // namespace bellwether::proxy
