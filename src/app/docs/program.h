#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bellwether::app {

// What the program takes, says and ends with, as values: --help, man pages, completions and conf/REFERENCE.md are
// written from these, so that no text of them is written twice.

// One flag of a command, or one argument that is known by its place.
struct ArgumentDoc {
  enum class Takes { kNothing, kText, kFile, kDirectory };

  std::vector<std::string> flags;  // "-f", "--config"; empty: an argument by its place
  Takes takes = Takes::kNothing;
  std::string placeholder;          // "FILE", or the argument's name; empty: it takes nothing
  std::vector<std::string> values;  // all that it takes; empty: too many to list
  std::string meaning;
  std::string fallback;  // its default; empty: none that is worth telling
  std::string group;     // of an option of the configuration: its part of the table; else empty
  bool is_required = false;
  bool is_repeatable = false;
};

struct CommandDoc {
  std::string name;
  std::string meaning;
  std::vector<ArgumentDoc> arguments;
};

struct ProgramDoc {
  std::string version;
  std::string meaning;
  std::vector<ArgumentDoc> arguments;  // without any command
  std::vector<CommandDoc> commands;
};

[[nodiscard]] bool is_flag(const ArgumentDoc& argument);

struct ExampleDoc {
  std::string_view command;
  std::string_view meaning;  // may be empty
};
[[nodiscard]] const std::vector<ExampleDoc>& examples();

struct ExitCodeDoc {
  int code;
  std::string_view word;     // for --help
  std::string_view meaning;  // Markdown, as all texts below
};
[[nodiscard]] const std::vector<ExitCodeDoc>& exit_codes();

struct SignalDoc {
  std::string_view names;
  std::string_view effect;
};
[[nodiscard]] const std::vector<SignalDoc>& signals();

// Sentences about variables of the environment.
[[nodiscard]] std::string_view environment_text();
// Paragraphs about sources of options and the configuration file's format.
[[nodiscard]] std::string_view format_text();

// Up to its end, or to where something of less importance begins: what a completion has room for.
[[nodiscard]] std::string_view first_sentence(std::string_view text);

}  // namespace bellwether::app
