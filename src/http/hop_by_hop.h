#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "bellwether/http/head.h"

namespace bellwether::http {

// What a header is to someone who passes a head on.
enum class Passage : std::uint8_t {
  kEndToEnd,
  kHopByHop,      // ends here (RFC 9110 section 7.6.1, RFC 2616 section 13.5.1)
  kOurs,          // Host, Content-Length, Expect: stated anew from what was parsed
  kForwardedFor,  // X-Forwarded-For
  kForwarded,     // Forwarded (RFC 7239)
};
[[nodiscard]] Passage passage_of(std::string_view name);

// Which other headers a head's Connection lines name. Looks through the lines once, and looks each name up among the
// sorted headers: the cost grows with the length of the head, not with options times headers. In nearly all heads they
// name none, and nothing is allocated.
class NamedByConnection {
 public:
  explicit NamedByConnection(const std::vector<Header>& headers);
  // REQUIRES: `header` is one of the headers, which stand still.
  [[nodiscard]] bool contains(const Header& header) const {
    return !is_named_.empty() && is_named_[static_cast<std::size_t>(&header - headers_.data())];
  }

 private:
  void mark(std::string_view option);
  void sort_headers();

  const std::vector<Header>& headers_;
  std::vector<std::uint32_t> by_name_;  // indices of the headers; empty until an option names one
  std::vector<bool> is_named_;          // by index; likewise
};

}  // namespace bellwether::http
