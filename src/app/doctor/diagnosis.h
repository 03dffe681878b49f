#pragma once

#include <string>
#include <vector>

#include "bellwether/config/config.h"
#include "examined.h"
#include "finding.h"

namespace bellwether::app {

// What is wrong, decided by what was seen alone: no I/O, no clock. No finding: clients would be served.

// Of `check --live`.
[[nodiscard]] Diagnosis diagnose(const ExaminedCluster& seen, const config::Config& config);
// Of files and names, which `check` looks at without asking nodes.
[[nodiscard]] Diagnosis diagnose_files(const OwnSide& own);
[[nodiscard]] Diagnosis diagnose_names(const std::vector<Examined>& nodes);

// Why a node gives no answer that counts, and what to do, in one text; empty if it does.
[[nodiscard]] std::string cause_of(const Examined& node);

}  // namespace bellwether::app
