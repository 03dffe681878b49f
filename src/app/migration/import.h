#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/migration/haproxy/surroundings.h"
#include "plan.h"

namespace bellwether::app::migration {

inline constexpr std::size_t kMaxFileBytes = 4 * 1024 * 1024;

struct Import {
  Plan plan;
  std::vector<std::string> problems;  // with lines, if there is no plan: the file cannot be read
  std::string choice;                 // if there is no plan: which cluster is meant must be said

  [[nodiscard]] bool is_fine() const { return problems.empty() && choice.empty(); }
  [[nodiscard]] bool loses() const;  // something that the old file says
};

// Makes a Bellwether configuration of an haproxy.cfg. `name`: how the file is called in what is told; `names`: of the
// backends or listen sections that are meant, where there are several clusters.
[[nodiscard]] Import import_haproxy(std::string_view text, std::string_view name, const std::vector<std::string>& names,
                                    const Surroundings& surroundings);

}  // namespace bellwether::app::migration
