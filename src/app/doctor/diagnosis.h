#pragma once

#include <string>
#include <vector>

#include "bellwether/config/config.h"
#include "examined.h"
#include "finding.h"

namespace bellwether::app {

// What is wrong, decided by what was seen alone: no I/O, no clock. No finding: clients would be served.

// Of `check --live`. `config`: of the cluster that was seen. What concerns the whole process is found with it only in a
// configuration without `clusters`; see diagnose_process for the others.
[[nodiscard]] Diagnosis diagnose(const ExaminedCluster& seen, const config::Config& config);
// Of `check --live` with `clusters`: the admin address and the limits of the process, by the whole configuration.
[[nodiscard]] Diagnosis diagnose_process(const OwnSide& own, const config::Config& config);
// Of files and names, which `check` looks at without asking nodes.
[[nodiscard]] Diagnosis diagnose_files(const OwnSide& own);
[[nodiscard]] Diagnosis diagnose_names(const std::vector<Examined>& nodes);
// Takes out of the diagnoses of several clusters what each of them has alike by an option that is said for all, such as
// a common tls_cert that has expired. What is found of nodes stays, even where the texts are the same.
[[nodiscard]] Diagnosis take_common(const std::vector<Diagnosis*>& clusters);

// Why a node gives no answer that counts, and what to do, in one text; empty if it does.
[[nodiscard]] std::string cause_of(const Examined& node);

}  // namespace bellwether::app
