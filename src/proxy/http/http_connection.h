#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bellwether/base/ids.h"
#include "bellwether/base/time.h"
#include "bellwether/http/head.h"
#include "bellwether/net/stream.h"
#include "bellwether/proxy/proxy.h"
#include "bellwether/wire/idleness.h"
#include "client_identity.h"
#include "http_exchange.h"
#include "proxy/core/session_record.h"
#include "proxy/exchange/responder.h"

namespace bellwether::proxy {

struct Accepted;
class HttpFront;

// One client's HTTP/1.1 connection: reads one request after the other, gives each to an exchange that it borrows for
// it, and writes the answers. Owned by its front's table; used on its thread only; destroyed at the end of a turn.
class HttpConnection final : public net::StreamHandler {
 public:
  HttpConnection(HttpFront& front, Accepted accepted, AnsweredBy answered_by);

  // All that can be done now, within a turn's budget. Its exchange may be over afterwards, and given back.
  void pump();
  enum class Close : std::uint8_t { kOrderly, kReset };
  void end(EndReason reason, Close how = Close::kOrderly);

  // For its front. Any of these may end it.
  void on_tick(TimePoint now);
  // If it waits for its client: what for, and since when.
  void collect_idle(std::vector<wire::IdleConnection>& into);
  // Worth it only while shutting down: true if it had nothing to ask, and was told to go.
  bool send_away_if_idle(TimePoint now);
  [[nodiscard]] HttpExchange* exchange() { return exchange_.get(); }  // null: it is idle
  [[nodiscard]] Phase phase() const;
  [[nodiscard]] AnsweredBy answered_by() const { return answered_by_; }
  // One of which the requests go to nodes does until it is idle, and is sent away then; another one if it has not asked
  // yet, has a request, or may not have taken its answer yet.
  [[nodiscard]] bool holds_up_shut_down() const {
    return answered_by_ == AnsweredBy::kNodes || !has_asked_ || phase() != Phase::kRequest;
  }

  // For its exchange.
  [[nodiscard]] SessionSum& sum() { return sum_; }
  [[nodiscard]] std::uint16_t listener() const { return listener_; }
  [[nodiscard]] const std::string& client_name() const { return client_name_; }
  [[nodiscard]] const std::string& preamble() const { return preamble_; }
  void append_request_head(std::string& out, const http::RequestHead& head, bool upgrades, bool omits_expect) const;
  void charge_turn(std::size_t bytes);
  [[nodiscard]] TimePoint last_active() const { return last_active_; }
  void note_active(TimePoint now) { last_active_ = now; }  // at either side
  // The client has ended its side, and nothing of what it sent before is unread.
  [[nodiscard]] bool has_client_ended() const { return client_ended_; }
  // As the kernel knows it, whatever is unread.
  [[nodiscard]] net::PeerState peer_state() const { return client_->peer_state(); }
  // Whether its exchange is still held after all has been read that a held client may send.
  [[nodiscard]] bool stays_held();
  // All of a request has come: not read again before its answer has left, if nothing else is there.
  void stop_reading_if_drained();
  void client_left();
  bool write();

  void on_open() override;
  void on_readable() override;
  void on_writable() override;
  void on_broken(Error error) override;

  std::size_t table_index = 0;  // the table's
  bool is_postponed = false;    // the front's

 private:
  enum class State : std::uint8_t {
    kOpen,    // reads a request, or has one under way
    kLinger,  // all is said, our side is shut: waits for the client to close
    kEnded,
  };

  // http_connection.cc
  bool step();
  bool read();
  void take_input(std::string_view bytes);
  [[nodiscard]] std::size_t input_limit() const;
  [[nodiscard]] bool is_held() const { return exchange_ && exchange_->stage() == Stage::kHeld; }
  // Of what the client has sent: not looked at yet.
  [[nodiscard]] std::size_t unread_bytes() const { return exchange_ ? exchange_->input().size() : 0; }
  void look_at_peer();
  bool take_request();
  void start_request(const http::RequestHead& head);
  void end_exchange();
  void finish_answer();
  void linger(EndReason reason);
  void tell(EndReason reason) const;

  // http_connection_times.cc: what lasts too long
  // No request is under way: it waits for one, or for the rest of a head.
  [[nodiscard]] bool is_reading() const;
  bool look_at_reading(TimePoint now);  // whether there is something to be pumped now
  // What it waits for from its client; nothing: it waits for us, or for a node.
  [[nodiscard]] std::optional<wire::Idleness> idleness() const;
  bool make_room();

  HttpFront& front_;
  std::unique_ptr<net::Stream> client_;
  std::string client_host_;
  ClientIdentity identity_;
  std::string client_name_;  // with its port; only if it may be logged
  std::string preamble_;
  std::unique_ptr<HttpExchange> exchange_;  // null: idle, or at its end
  SessionSum sum_;                          // of all its requests
  http::LeadingLine leading_line_;
  http::HeadSearch head_search_;
  TimePoint started_;
  TimePoint last_active_;
  TimePoint header_since_{};
  TimePoint linger_since_{};
  std::size_t moved_ = 0;  // in the running pump, small pieces counted as kLeastCharge
  std::uint16_t listener_;
  EndReason linger_reason_;
  State state_ = State::kOpen;
  AnsweredBy answered_by_;
  bool has_asked_ = false;
  bool can_read_ = false;
  bool can_write_ = true;
  bool client_ended_ = false;
  bool must_look_at_peer_ = false;  // it may have ended its side behind bytes for which there is no room
  bool keeps_forwarded_for_ = false;
  bool may_state_certificates_ = false;  // to nodes, its own or others': its listener had a header for that
  bool pumping_ = false;
};

}  // namespace bellwether::proxy
