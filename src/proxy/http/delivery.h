#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "bellwether/base/ids.h"
#include "bellwether/base/time.h"
#include "bellwether/http/head.h"
#include "bellwether/vault/retry.h"
#include "claim_wait.h"
#include "proxy/core/end_reason.h"
#include "proxy/core/hold.h"
#include "proxy/exchange/destination.h"
#include "proxy/exchange/exchange.h"
#include "proxy/exchange/request_account.h"
#include "proxy/upstream/upstream.h"

namespace bellwether::proxy {

class Delivery;
class HttpConnection;
class HttpFront;

// What a delivery tells the exchange whose request it delivers: what the client gets.
class DeliveryUser {
 public:
  // All that can be done now. The exchange may be over afterwards. Returns the delivery that its connection has then;
  // null: it has none.
  virtual Delivery* pump() = 0;
  // The request is a Responder's to answer, and that node leads.
  virtual void answer_for(NodeId leader) = 0;
  // The node's answer is the client's. `head` is in from_node still.
  virtual void start_answer(const http::ResponseHead& head) = 0;
  virtual void start_tunnel(const http::ResponseHead& head) = 0;
  // What has begun cannot go on.
  virtual void cut_answer(EndReason reason) = 0;
  virtual void answer_ambiguous(vault::Row row, std::string_view body, EndReason reason) = 0;
  virtual void answer_unserved(std::string_view why, EndReason reason, int status) = 0;

 protected:
  ~DeliveryUser() = default;
};

// How one request gets to a node, and how the node's answer is judged: held while there is none to send it to, sent,
// sent again after a proof that it was not executed, and never otherwise. A request that a Responder answers is held in
// the same way, and never sent. Part of an exchange, of which it changes the attempt, the proof, the mount check and
// what goes to and comes from the node. Used on its worker's thread only.
class Delivery final : public UpstreamUser, public WaitLink {
 public:
  Delivery(HttpFront& front, Exchange& exchange, RequestAccount& account, DeliveryUser& user);

  void bind(HttpConnection& connection) { connection_ = &connection; }

  // delivery.cc: for its exchange
  // Its head is in to_node.
  void dispatch();
  // Until there is a leader, or somebody else whom it may be sent to.
  void hold();
  void unhold();       // REQUIRES: held
  void note_effect();  // before the head goes from to_node
  void on_hold_tick(TimePoint now);

  // delivery.cc: for the front. Any of these may end the exchange, and pumps by itself where there is something to do.
  void on_fence();
  void on_view();
  // Its node was replaced and hangs: what it was asked will not be answered.
  void end_if_hung();
  // REQUIRES: held
  [[nodiscard]] bool may_send() const;
  void leave_hold(NodeId target);
  // Whether nothing about its mount keeps it from being sent to `target`. May answer it. REQUIRES: held
  [[nodiscard]] bool is_mount_settled(NodeId target);

  // delivery_attempt.cc: one sending of it to a node
  // It holds no connection and waits for nothing: its exchange may be lent to another request.
  [[nodiscard]] bool is_idle() const { return !upstream_ && !is_queued() && !claim_wait_.is_queued(); }
  [[nodiscard]] bool is_connected() const { return upstream_ && !exchange_.attempt.is_connecting; }
  bool write();  // these two: true if something has changed
  bool read();
  void end_sending();  // the node is told of the client's end
  void give_upstream_back();
  void drop_upstream();
  [[nodiscard]] TimePoint asked_at() const { return exchange_.attempt.all_sent_at; }
  void say_unanswered();
  void on_upstream_open() override;
  void on_upstream_readable() override;
  void on_upstream_writable() override;
  void on_upstream_broken(net::StreamFailure failure) override;

  // delivery_answer.cc: what comes back
  bool take_answer();
  void note_answered();
  void on_confirmed();
  void on_attempt_tick(TimePoint now);

 private:
  // delivery.cc
  [[nodiscard]] bool take_hold_place();
  bool has_gone_on_with_view();
  bool leave_unfit_node();
  bool undial();
  void send_again(vault::Row row);
  void answer_maybe_acted();
  void give_up(std::string_view why, EndReason reason, int status = 503);

  // delivery_attempt.cc
  void begin_attempt(NodeId node);
  bool note_all_sent();
  [[nodiscard]] bool write_to_node(std::string_view bytes);
  void attempt_failed(vault::Failure failure);

  // delivery_answer.cc
  [[nodiscard]] bool take_interim(const http::ResponseHead& head);
  [[nodiscard]] bool judge_final(const http::ResponseHead& head);
  void act(vault::Row row, const http::ResponseHead* head, std::string_view body);
  void end_unconfirmed();

  HttpFront& front_;
  Exchange& exchange_;
  RequestAccount& account_;
  DeliveryUser& user_;
  Destination destination_;
  ClaimWait claim_wait_;
  const MountCheck::Sent sent_;
  HttpConnection* connection_ = nullptr;
  std::unique_ptr<Upstream> upstream_;
};

}  // namespace bellwether::proxy
