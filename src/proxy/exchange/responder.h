#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "bellwether/base/ids.h"
#include "bellwether/http/serialize.h"

namespace bellwether::proxy {

// What a Responder needs of a request, kept while the request waits for a leader.
struct RequestTarget {
  std::string target;  // byte for byte
  std::string host;    // of the Host header; empty: none
};

// Answers the requests of some listeners in place of the nodes. The mode behind these listeners implements it, the
// worker hands it to the HTTP/1.1 connections. Used on the worker's thread only.
class Responder {
 public:
  struct Reply {
    http::Response response;
    std::string_view rejected{};  // for the access log: why the request was not answered as asked; empty: it was
  };
  // Called once per request, as soon as `leader` takes requests. No byte of the request goes to a node.
  [[nodiscard]] virtual Reply respond(const RequestTarget& target, std::uint16_t listener, NodeId leader) = 0;

 protected:
  ~Responder() = default;
};

// Who answers the requests of a client's connection.
enum class AnsweredBy : std::uint8_t { kNodes, kResponder };

}  // namespace bellwether::proxy
