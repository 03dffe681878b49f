#include <fmt/format.h>

#include "app/docs/completion.h"
#include "app/docs/manual.h"
#include "commands.h"

namespace bellwether::app {
namespace {

struct Topic {
  std::string_view name;
  std::string (*text)(const ProgramDoc&);
};

constexpr Topic kTopics[] = {{"man", manual_of_commands},
                             {"man-file", manual_of_file},
                             {"bash", bash_completion},
                             {"zsh", zsh_completion},
                             {"fish", fish_completion}};

}  // namespace

std::vector<std::string> docs_topics() {
  std::vector<std::string> names;
  for (const Topic& each : kTopics) names.emplace_back(each.name);
  return names;
}

int docs_command(const ProgramDoc& program, std::string_view topic) {
  for (const Topic& each : kTopics) {
    if (each.name == topic) fmt::print("{}", each.text(program));
  }
  return kExitFine;
}

}  // namespace bellwether::app
