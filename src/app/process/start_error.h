#pragma once

#include <string>

#include "bellwether/config/config.h"

namespace bellwether::app {

// What keeps `run` from starting, on standard error: a line for people, or a line of the log where log_format is json.
void report_start_error(config::LogFormat format, const std::string& message);
void report_config_problem(config::LogFormat format, const config::Problem& problem, bool is_hint);

}  // namespace bellwether::app
