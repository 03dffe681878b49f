#include "running_text.h"

#include <fmt/format.h>

namespace bellwether::app {

bool is_different(const Json& report) {
  return !lines_of(report, "changes").empty() || !lines_of(report, "needs_restart").empty();
}

std::string running_text(const Json& report, const std::string& name) {
  const std::string changes = lines_of(report, "changes");
  const std::string restarts = lines_of(report, "needs_restart", "needs a restart: ");
  const std::string hints = lines_of(report, "hints", "hint: ");
  std::string said = "a reload would change:";
  if (changes.empty()) said = restarts.empty() ? "nothing differs" : "a reload would change nothing, a restart would:";
  return fmt::format("{}: {}\n{}{}{}", name, said, changes, restarts, hints);
}

}  // namespace bellwether::app
