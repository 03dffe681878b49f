#include <fmt/format.h>

#include "completion.h"

namespace bellwether::app {
namespace {

using Takes = ArgumentDoc::Takes;

// Within single quotes, and within a specification of _arguments or _describe, where some characters have a meaning.
std::string quoted(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
      continue;
    }
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

// ":what:action", as _arguments wants it.
std::string value_of(const ArgumentDoc& argument) {
  if (argument.takes == Takes::kNothing) return {};
  const std::string what = quoted(argument.placeholder);
  if (!argument.values.empty()) return fmt::format(":{}:({})", what, fmt::join(argument.values, " "));
  if (argument.takes == Takes::kFile) return fmt::format(":{}:_files", what);
  if (argument.takes == Takes::kDirectory) return fmt::format(":{}:_files -/", what);
  return fmt::format(":{}: ", what);
}

std::string flag_specs(const ArgumentDoc& argument, std::string_view indent) {
  std::string out;
  const std::string others = argument.is_repeatable ? "*" : fmt::format("({})", fmt::join(argument.flags, " "));
  for (const std::string& flag : argument.flags) {
    const bool takes_value = argument.takes != Takes::kNothing;
    const std::string_view joined = !takes_value ? "" : flag.starts_with("--") ? "=" : "+";
    out += fmt::format(" \\\n{}'{}{}{}[{}]{}'", indent, others, flag, joined, quoted(first_sentence(argument.meaning)),
                       value_of(argument));
  }
  return out;
}

std::string specs(const std::vector<ArgumentDoc>& arguments, std::string_view indent) {
  std::string out;
  for (const ArgumentDoc& each : arguments) {
    if (is_flag(each)) {
      out += flag_specs(each, indent);
    } else {
      out += fmt::format(" \\\n{}'{}{}'", indent,
                         each.is_repeatable ? "*"
                         : each.is_required ? ""
                                            : ":",
                         value_of(each));
    }
  }
  return out;
}

}  // namespace

std::string zsh_completion(const ProgramDoc& program) {
  std::string names, cases;
  for (const CommandDoc& each : program.commands) {
    names += fmt::format("        '{}:{}'\n", quoted(each.name), quoted(first_sentence(each.meaning)));
    cases += fmt::format("        {})\n          _arguments -s -S{}\n          ;;\n", each.name,
                         specs(each.arguments, "            "));
  }
  return fmt::format(R"(#compdef bellwether
# Completion of bellwether(1) for zsh.
_bellwether() {{
  local context state state_descr line
  local -a commands
  typeset -A opt_args
  _arguments -C{} \
    '1:command:->command' \
    '*::argument:->argument'
  case $state in
    command)
      commands=(
{}      )
      _describe command commands
      ;;
    argument)
      case $words[1] in
{}      esac
      ;;
  esac
}}
_bellwether "$@"
)",
                     specs(program.arguments, "    "), names, cases);
}

}  // namespace bellwether::app
