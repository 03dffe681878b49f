#pragma once

#include <string>
#include <string_view>

namespace bellwether::proxy {

// What a client is told in place of a node's answer: who speaks, what happened, whether the request may have been
// executed, what to do, and by which id the log knows it. `why` is a clause without its full stop.
[[nodiscard]] std::string ambiguous_text(std::string_view why, std::string_view request_id);
[[nodiscard]] std::string unserved_text(std::string_view why, std::string_view request_id);

// The header that carries the id of such an answer.
inline constexpr std::string_view kRequestIdHeader = "X-Bellwether-Request-Id";

}  // namespace bellwether::proxy
