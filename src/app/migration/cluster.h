#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/migration/haproxy/sections.h"

namespace bellwether::app::migration {

// The sections that serve one Vault cluster: those with its servers, and those that lead clients to them.
struct Cluster {
  std::vector<const Section*> backends;
  std::vector<const Section*> frontends;  // a listen section is in both
  std::vector<const Section*> partial;    // those of `frontends` that lead clients elsewhere too
};

struct Choice {
  std::optional<Cluster> cluster;
  std::string problem;  // why there is none: what the file has, and how to choose
};

// An import is of one cluster: the one whose backends or listen sections are named, or, if none is, the only one that
// there is. Of several, those that look like Vault are preferred: by port, check or name.
[[nodiscard]] Choice choose_cluster(const Document& document, const std::vector<std::string>& names);

// Has the section a page of statistics, and no servers?
[[nodiscard]] bool is_stats_page(const Section& section);

}  // namespace bellwether::app::migration
