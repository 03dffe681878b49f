#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "bellwether/base/ids.h"
#include "bellwether/base/time.h"
#include "bellwether/proxy/proxy.h"
#include "bellwether/wire/server.h"
#include "proxy/core/accepted.h"
#include "proxy/core/end_reason.h"
#include "proxy/core/places.h"

namespace bellwether::proxy {

class WorkerCore;

// Redirect mode on one worker: every request is answered with the leader's address, held while there is none. Bodies
// are read and dropped.
class Redirector {
 public:
  explicit Redirector(WorkerCore& worker);
  ~Redirector();
  Redirector(const Redirector&) = delete;
  Redirector& operator=(const Redirector&) = delete;

  void adopt(Accepted accepted);
  void release();  // answers those that wait, if a leader can be named
  void on_client_tls();
  void tick(TimePoint now);
  [[nodiscard]] bool has_waiting() const { return !waiting_.empty(); }
  // A request waits, or an answer is on its way. An idle connection is not answering.
  [[nodiscard]] bool is_answering() const;
  [[nodiscard]] bool is_busy() const { return connections_ > 0 || !waiting_.empty(); }
  void collect_idle(std::vector<wire::IdleConnection>& into);

 private:
  struct Asked {
    std::size_t listener = 0;
    wire::ExchangeId exchange = 0;
    std::string target;
    std::string host;
    std::string method;
    std::string client;  // only if it may be logged
    TimePoint since{};
    HoldPlace hold_place{};
  };
  // What became of it, for the access log.
  struct Told {
    int status = 0;
    Outcome outcome = Outcome::kOk;
    EndReason end;
    std::optional<NodeId> node;
    std::string_view rejected;
    std::string id{};  // of one that failed
    std::string why{};
  };

  wire::Server& server(std::size_t listener);
  void on_request(std::size_t listener, wire::ServerRequest request);
  void on_gone(std::size_t listener, wire::ExchangeId exchange);
  [[nodiscard]] bool take_hold_place(Asked& asked) const;
  void answer(const Asked& asked, NodeId node);
  void answer_loop(const Asked& asked, NodeId node, const std::string& location);
  void refuse(const Asked& asked, std::string_view why, EndReason reason);
  void respond(const Asked& asked, const http::Response& response, const Told& told);
  void tell(const Asked& asked, const Told& told) const;
  [[nodiscard]] bool is_loop(const Asked& asked, const std::string& location) const;
  void on_connection_end(wire::Server::End why);

  WorkerCore& worker_;
  std::vector<std::unique_ptr<wire::Server>> servers_;  // by listener; null where it is none of ours
  std::vector<Asked> waiting_;                          // in order
  std::set<NodeId> loops_told_;                         // since the epoch began
  Epoch loops_epoch_ = 0;
  std::size_t connections_ = 0;  // each uses a place below maxconn
};

}  // namespace bellwether::proxy
