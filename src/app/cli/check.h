#pragma once

#include <string>
#include <vector>

#include "doctor.h"

namespace bellwether::app {

// What `check` found beyond the configuration's own problems.
struct CheckReport {
  std::vector<std::string> problems;  // of certificates, keys and names
  std::vector<Examined> nodes;        // --live
  Diagnosis live;

  [[nodiscard]] bool is_fine() const { return problems.empty() && live.problems.empty(); }
};

}  // namespace bellwether::app
