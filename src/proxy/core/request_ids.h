#pragma once

#include <cstdint>
#include <string>

namespace bellwether::proxy {

// Names a failed request in the client's error, in the log and in /ambiguous. A random beginning tells workers and
// processes apart. One worker's thread.
class RequestIds {
 public:
  RequestIds();
  [[nodiscard]] std::string next();  // "5c3e91a7-42"

 private:
  std::uint32_t beginning_;
  std::uint64_t count_ = 0;
};

}  // namespace bellwether::proxy
