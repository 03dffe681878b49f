#pragma once

#include <string_view>
#include <vector>

#include "bellwether/http/head.h"

namespace bellwether::http {

// What a header is to someone who passes a head on.
enum class Passage : std::uint8_t {
  kEndToEnd,
  kHopByHop,   // ends here (RFC 9110 section 7.6.1, RFC 2616 section 13.5.1)
  kOurs,       // Host, Content-Length, Expect: stated anew from what was parsed
  kForwarded,  // X-Forwarded-For
};
[[nodiscard]] Passage passage_of(std::string_view name);

// Which other headers a head's Connection lines name. Looks through them once; in nearly all heads they name none.
class NamedByConnection {
 public:
  explicit NamedByConnection(const std::vector<Header>& headers);
  [[nodiscard]] bool contains(std::string_view name) const { return names_any_ && is_named(name); }

 private:
  [[nodiscard]] bool is_named(std::string_view name) const;

  const std::vector<Header>& headers_;
  bool names_any_ = false;
};

}  // namespace bellwether::http
