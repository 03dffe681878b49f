#pragma once

#include <string>

#include "answer_text.h"

namespace bellwether::app {

// Whether a reload or a restart would change something, by the report of a trial.
[[nodiscard]] bool is_different(const Json& report);
// The same for people: what a reload of `name` would change, in the words of `bellwether reload`.
[[nodiscard]] std::string running_text(const Json& report, const std::string& name);

}  // namespace bellwether::app
