#pragma once

#include <string>
#include <string_view>

#include "plan.h"

namespace bellwether::app::migration {

// The plan as a configuration file of Bellwether with comments: what was lost and what else is to be told at the top,
// and behind each line the line of the old file that it comes from. `file`: how the old one is called.
[[nodiscard]] std::string write_configuration(const Plan& plan, std::string_view file);

// One line: "haproxy.cfg:12: lost: stick-table ...: ADVICE".
[[nodiscard]] std::string finding_text(const Finding& finding, std::string_view file);

}  // namespace bellwether::app::migration
