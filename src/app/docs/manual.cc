#include "manual.h"

#include <fmt/format.h>

#include <algorithm>

#include "bellwether/config/options.h"
#include "roff.h"

namespace bellwether::app {
namespace {

using Takes = ArgumentDoc::Takes;

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return out;
}

std::string title(std::string_view name, int section, const ProgramDoc& program, std::string_view kind) {
  return fmt::format(".TH {} {} \"\" \"bellwether {}\" \"{}\"\n.nh\n.ad l\n", upper(name), section, program.version,
                     kind);
}

std::string head(std::string_view text) { return fmt::format(".SH {}\n", text); }
std::string bold(std::string_view text) { return fmt::format("\\fB{}\\fR", roff_text(text)); }
std::string italic(std::string_view text) { return fmt::format("\\fI{}\\fR", roff_text(text)); }

// "ready|drain|maint", or the placeholder.
std::string value_of(const ArgumentDoc& argument) {
  if (argument.values.empty()) return italic(argument.placeholder);
  std::string out;
  for (const std::string& each : argument.values) out += (out.empty() ? "" : "|") + bold(each);
  return out;
}

std::string flags_of(const ArgumentDoc& argument) {
  std::string out;
  for (const std::string& flag : argument.flags) out += (out.empty() ? "" : ", ") + bold(flag);
  if (argument.takes != Takes::kNothing) out += (is_flag(argument) ? " " : "") + value_of(argument);
  return out;
}

std::string item(const ArgumentDoc& argument) {
  std::string out = fmt::format(".TP\n{}\n{}\n", flags_of(argument), roff_of_markdown(argument.meaning));
  if (!argument.fallback.empty()) out += fmt::format("Default: {}.\n", roff_text(argument.fallback));
  return out;
}

bool is_help(const ArgumentDoc& argument) {
  return std::find(argument.flags.begin(), argument.flags.end(), "--help") != argument.flags.end();
}

std::string synopsis(const CommandDoc& command) {
  std::string out = fmt::format(".B bellwether {}\n[\\fIoptions\\fR]", roff_text(command.name));
  for (const ArgumentDoc& each : command.arguments) {
    if (is_flag(each)) continue;
    const std::string value = fmt::format("{}{}", value_of(each), each.is_repeatable ? "..." : "");
    out += each.is_required ? fmt::format(" {}", value) : fmt::format(" [{}]", value);
  }
  return out + "\n";
}

// Options of the configuration are explained for the first command that takes them.
std::string section_of(const CommandDoc& command, std::string& first_with_options) {
  std::string out = fmt::format(".SS {}\n{}.\n", roff_text(command.name), roff_of_markdown(command.meaning));
  const bool is_first = first_with_options.empty();
  std::string_view group;
  for (const ArgumentDoc& each : command.arguments) {
    if (is_help(each) || (!each.group.empty() && !is_first)) continue;
    if (each.group != group) out += fmt::format(".PP\n{}\n", bold(each.group));
    group = each.group;
    out += item(each);
  }
  const bool has_options = std::any_of(command.arguments.begin(), command.arguments.end(),
                                       [](const ArgumentDoc& each) { return !each.group.empty(); });
  if (has_options && is_first) first_with_options = command.name;
  if (has_options && !is_first) {
    out += fmt::format(".PP\nIt takes all options of the configuration, as {} does.\n",
                       bold("bellwether " + first_with_options));
  }
  return out;
}

std::string files() {
  return head("FILES") +
         ".TP\n.I /etc/bellwether/bellwether.json\nThe configuration of bellwether.service; see "
         "\\fBbellwether.json\\fR(5).\n"
         ".TP\n.I /etc/bellwether/NAME.json\nThe configuration of bellwether@NAME.service.\n"
         ".TP\n.I /run/bellwether, /run/bellwether@NAME\nTheir control sockets.\n";
}

std::string fallback_of(const config::Option& option) {
  if (config::is_file_only(option)) return "default: none";
  if (std::holds_alternative<config::NodesField>(option.field)) {
    return "required, unless there are \\fBclusters\\fR, each of which has its own";
  }
  return "default: " + roff_text(config::default_text(option));
}

// By which flag and which variable it is given.
std::string givers_of(const config::Option& option) {
  if (config::is_file_only(option)) return "In a file only";
  return fmt::format("{}, {}", option.flag.empty() ? "Arguments" : bold(option.flag),
                     bold(config::environment_name(option)));
}

std::string keys_of(const config::Option& option) {
  std::string out = fmt::format(".TP\n{}\n{}\n", bold(option.key), roff_of_markdown(option.doc));
  out += fmt::format("Takes {}", roff_text(config::expected(option)));
  out += fmt::format("; {}.\n", fallback_of(option));
  out +=
      fmt::format(".br\n{}; a reload {} it.\n", givers_of(option), option.reloadable ? "changes" : "does not change");
  if (option.scope == config::Scope::kCluster && !std::holds_alternative<config::NodesField>(option.field)) {
    out += "An object of \\fBclusters\\fR may have its own.\n";
  }
  if (option.scope == config::Scope::kListener) {
    out += "An object of \\fBclusters\\fR and one of \\fBlisten\\fR may have its own.\n";
  }
  std::string borrowed;
  for (auto name = option.borrowed.rbegin(); name != option.borrowed.rend(); ++name) {
    borrowed += (borrowed.empty() ? "" : ", ") + bold(*name);
  }
  return borrowed.empty() ? out : out + fmt::format("Default by {}.\n", borrowed);
}

}  // namespace

std::string manual_of_commands(const ProgramDoc& program) {
  std::string out = title("bellwether", 1, program, "User Commands");
  out += head("NAME") + "bellwether \\- leader\\-aware load balancer for Vault and OpenBao clusters\n";
  out += head("SYNOPSIS");
  for (const CommandDoc& each : program.commands)
    out += (&each == &program.commands.front() ? "" : ".br\n") + synopsis(each);
  out += head("DESCRIPTION") + roff_of_markdown(program.meaning) + "\n";
  out += head("OPTIONS");
  for (const ArgumentDoc& each : program.arguments) out += item(each);
  out += head("COMMANDS");
  std::string first_with_options;
  for (const CommandDoc& each : program.commands) out += section_of(each, first_with_options);
  std::string environment(environment_text());
  environment.front() = static_cast<char>(environment.front() - 'a' + 'A');
  out += head("ENVIRONMENT") + roff_of_markdown(environment) + "\n";
  out += head("EXIT STATUS");
  for (const ExitCodeDoc& each : exit_codes())
    out += fmt::format(".TP\n.B {}\n{}\n", each.code, roff_of_markdown(each.meaning));
  out += head("SIGNALS");
  for (const SignalDoc& each : signals())
    out += fmt::format(".TP\n{}\n{}\n", bold(each.names), roff_of_markdown(each.effect));
  out += files() + head("EXAMPLES");
  for (const ExampleDoc& each : examples())
    out += fmt::format(".TP\n{}\n{}\n", bold(each.command), each.meaning.empty() ? "\\&" : roff_text(each.meaning));
  return out + head("SEE ALSO") + "\\fBbellwether.json\\fR(5), \\fBsystemctl\\fR(1)\n";
}

std::string manual_of_file(const ProgramDoc& program) {
  std::string out = title("bellwether.json", 5, program, "File Formats");
  out += head("NAME") + "bellwether.json \\- configuration of bellwether\n";
  out += head("DESCRIPTION") + roff_of_markdown(format_text());
  out += head("OPTIONS");
  std::string_view group;
  for (const config::Option& option : config::options()) {
    if (option.group != group) out += fmt::format(".SS {}\n", roff_text(option.group));
    group = option.group;
    out += keys_of(option);
  }
  return out + head("SEE ALSO") + "\\fBbellwether\\fR(1)\n";
}

}  // namespace bellwether::app
