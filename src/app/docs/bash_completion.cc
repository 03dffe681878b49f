#include <fmt/format.h>

#include "completion.h"

namespace bellwether::app {
namespace {

using Takes = ArgumentDoc::Takes;

// What finds out where the cursor stands. Bash makes three words of "--flag=value", and of "host:port".
constexpr std::string_view kHead = R"(_bellwether() {
  local cur=${COMP_WORDS[COMP_CWORD]} flag=${COMP_WORDS[COMP_CWORD - 1]} command='' place=0 i word words=''
  COMPREPLY=()
  if [[ $cur == '=' ]]; then
    cur=''
  elif [[ $flag == '=' ]]; then
    flag=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    case $word in
      '=' | ':') ((i++)) ;;
      -*) if _bellwether_takes "$command" "$word" && [[ ${COMP_WORDS[i + 1]} != '=' ]]; then ((i++)); fi ;;
      *) if [[ -z $command ]]; then command=$word; else ((++place)); fi ;;
    esac
  done
)";

constexpr std::string_view kTail = R"(  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -F _bellwether bellwether
)";

std::string words_of(const std::vector<std::string>& values) { return fmt::format("{}", fmt::join(values, " ")); }

// A branch of `case "$command $flag"` or `case "$command $place"`.
std::string branch(const std::string& pattern, const ArgumentDoc& argument) {
  if (!argument.values.empty()) return fmt::format("    {}) words='{}' ;;\n", pattern, words_of(argument.values));
  if (argument.takes == Takes::kFile) return fmt::format("    {}) _bellwether_files -f; return ;;\n", pattern);
  if (argument.takes == Takes::kDirectory) return fmt::format("    {}) _bellwether_files -d; return ;;\n", pattern);
  return fmt::format("    {}) return ;;\n", pattern);
}

std::string patterns_of(const CommandDoc& command, const ArgumentDoc& argument) {
  std::string out;
  for (const std::string& flag : argument.flags) {
    out += fmt::format("{}'{} {}'", out.empty() ? "" : " | ", command.name, flag);
  }
  return out;
}

std::string takes(const ProgramDoc& program) {
  std::string patterns;
  for (const CommandDoc& command : program.commands) {
    for (const ArgumentDoc& each : command.arguments) {
      if (!is_flag(each) || each.takes == Takes::kNothing) continue;
      patterns += fmt::format("{}{}", patterns.empty() ? "" : " | \\\n      ", patterns_of(command, each));
    }
  }
  return fmt::format(
      "# Completion of bellwether(1) for bash.\n_bellwether_takes() {{\n  case \"$1 $2\" in\n    {}) return 0 ;;\n  "
      "esac\n  return 1\n}}\n"
      "_bellwether_files() {{\n  compopt -o filenames\n  mapfile -t COMPREPLY < <(compgen \"$1\" -- \"$cur\")\n}}\n",
      patterns);
}

std::string values_of_flags(const ProgramDoc& program) {
  std::string out = "  case \"$command $flag\" in\n";
  for (const CommandDoc& command : program.commands) {
    for (const ArgumentDoc& each : command.arguments) {
      if (is_flag(each) && each.takes != Takes::kNothing) out += branch(patterns_of(command, each), each);
    }
  }
  return out + "  esac\n";
}

std::string flags(const std::vector<ArgumentDoc>& arguments) {
  std::vector<std::string> all;
  for (const ArgumentDoc& each : arguments) all.insert(all.end(), each.flags.begin(), each.flags.end());
  return words_of(all);
}

std::string all_flags(const ProgramDoc& program) {
  std::string out = fmt::format("    '') words='{}' ;;\n", flags(program.arguments));
  for (const CommandDoc& command : program.commands) {
    out += fmt::format("    {}) words='{}' ;;\n", command.name, flags(command.arguments));
  }
  return fmt::format("    case $command in\n{}    esac\n", out);
}

std::string places(const ProgramDoc& program) {
  std::string out;
  for (const CommandDoc& command : program.commands) {
    int place = 0;
    for (const ArgumentDoc& each : command.arguments) {
      if (!is_flag(each)) out += branch(fmt::format("'{} {}'", command.name, place++), each);
    }
  }
  std::string names;
  for (const CommandDoc& each : program.commands) names += (names.empty() ? "" : " ") + each.name;
  return fmt::format("    case \"$command $place\" in\n    ' 0') words='{}' ;;\n{}    esac\n", names, out);
}

}  // namespace

std::string bash_completion(const ProgramDoc& program) {
  return takes(program) + std::string(kHead) + values_of_flags(program) + "  if [[ -z $words && $cur == -* ]]; then\n" +
         all_flags(program) + "  elif [[ -z $words ]]; then\n" + places(program) + "  fi\n" + std::string(kTail);
}

}  // namespace bellwether::app
