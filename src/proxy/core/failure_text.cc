#include "failure_text.h"

#include <fmt/format.h>

namespace bellwether::proxy {

std::string ambiguous_text(std::string_view why, std::string_view request_id) {
  return fmt::format(
      "Bellwether: {}. The request may or may not have been executed: look whether it was before you send it again. "
      "(request id {})",
      why, request_id);
}

std::string unserved_text(std::string_view why, std::string_view request_id) {
  return fmt::format("Bellwether: {}. The request was not executed: it can be sent again. (request id {})", why,
                     request_id);
}

}  // namespace bellwether::proxy
