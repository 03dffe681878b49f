#include <fmt/format.h>

#include "completion.h"

namespace bellwether::app {
namespace {

using Takes = ArgumentDoc::Takes;

// `__bellwether_at COMMAND N`: N words of COMMAND stand before the cursor.
constexpr std::string_view kHead = R"(# Completion of bellwether(1) for fish.
function __bellwether_at
    set -l before (commandline -opc)
    set -l words (string match -v -- '-*' $before[2..-1])
    test (count $words) -ge 1; and test $words[1] = $argv[1]; and test (count $words) -ge (math $argv[2] + 1)
end
complete -c bellwether -f
)";

std::string quoted(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return fmt::format("'{}'", out);
}

std::string value_of(const ArgumentDoc& argument) {
  if (!argument.values.empty()) return fmt::format(" -xa '{}'", fmt::join(argument.values, " "));
  if (argument.takes == Takes::kFile) return " -rF";
  if (argument.takes == Takes::kDirectory) return " -xa '(__fish_complete_directories)'";
  return argument.takes == Takes::kText ? " -x" : "";
}

std::string flag_line(const std::string& when, const ArgumentDoc& argument) {
  std::string names;
  for (const std::string& flag : argument.flags) {
    names += flag.starts_with("--") ? " -l " + flag.substr(2) : " -s " + flag.substr(1);
  }
  return fmt::format("complete -c bellwether -n {}{}{} -d {}\n", when, names, value_of(argument),
                     quoted(first_sentence(argument.meaning)));
}

std::string lines_of(const CommandDoc& command) {
  std::string out = fmt::format("complete -c bellwether -n __fish_use_subcommand -a {} -d {}\n", command.name,
                                quoted(first_sentence(command.meaning)));
  int place = 0;
  for (const ArgumentDoc& each : command.arguments) {
    if (is_flag(each)) {
      out += flag_line(fmt::format("'__fish_seen_subcommand_from {}'", command.name), each);
      continue;
    }
    const std::string when = fmt::format("'__bellwether_at {} {}'", command.name, place++);
    if (!each.values.empty()) {
      out += fmt::format("complete -c bellwether -n {} -a '{}'\n", when, fmt::join(each.values, " "));
    } else if (each.takes == Takes::kFile) {
      out += fmt::format("complete -c bellwether -n {} -F\n", when);
    }
  }
  return out;
}

}  // namespace

std::string fish_completion(const ProgramDoc& program) {
  std::string out(kHead);
  for (const ArgumentDoc& each : program.arguments) out += flag_line("__fish_use_subcommand", each);
  for (const CommandDoc& each : program.commands) out += lines_of(each);
  return out;
}

}  // namespace bellwether::app
