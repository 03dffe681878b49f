#pragma once

#include <functional>
#include <memory>
#include <string>

#include "bellwether/net/resolver.h"

namespace bellwether::net {

// The hosts file and the name servers, asked with c-ares on the loop. All questions run side by side. A channel of
// c-ares, with its sockets and what it has read from resolv.conf, lives only while there are questions.
class Dns {
 public:
  using OnAnswer = std::function<void(Result<NameAnswer>)>;

  explicit Dns(Loop& loop);
  ~Dns();  // drops questions
  Dns(const Dns&) = delete;
  Dns& operator=(const Dns&) = delete;

  // Answered in a later turn. Ports are 0.
  void ask_for_host(const std::string& host, OnAnswer on_answer);
  // Ports are those of the SRV records.
  void ask_for_service(const std::string& name, OnAnswer on_answer);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace bellwether::net
