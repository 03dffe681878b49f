#include "describe.h"

#include <algorithm>

#include "bellwether/config/options.h"
#include "commands.h"

namespace bellwether::app {
namespace {

using Takes = ArgumentDoc::Takes;

constexpr std::string_view kUsualGroup = "Options";

// Flags that are an option of the configuration have a group of that table.
const config::Option* option_of(const CLI::Option& parsed) {
  if (parsed.get_group() == kUsualGroup || parsed.get_lnames().empty()) return nullptr;
  const std::string flag = "--" + parsed.get_lnames().front();
  const auto found = std::find_if(config::options().begin(), config::options().end(),
                                  [&](const config::Option& each) { return each.flag == flag; });
  return found == config::options().end() ? nullptr : &*found;
}

struct FieldDoc {
  ArgumentDoc& doc;

  void operator()(const config::FlagField&) const {}
  void operator()(const config::EnumField& field) const {
    takes(Takes::kText, "WORD");
    doc.values.assign(field.values.begin(), field.values.end());
  }
  void operator()(const config::TextField& field) const {
    if (field.what == "a file name") return takes(Takes::kFile, "FILE");
    if (field.what == "a directory") return takes(Takes::kDirectory, "DIRECTORY");
    takes(Takes::kText, "TEXT");
  }
  void operator()(const config::IntField&) const { takes(Takes::kText, "NUMBER"); }
  void operator()(const config::DurationField&) const { takes(Takes::kText, "DURATION"); }
  void operator()(const config::ListField&) const { takes(Takes::kText, "LIST"); }
  void operator()(const config::CertificatesField&) const { takes(Takes::kFile, "FILE"); }
  void operator()(const config::ListenField&) const { takes(Takes::kText, "ADDRESS"); }
  void operator()(const config::NodesField&) const { takes(Takes::kText, "LIST"); }
  void operator()(const config::ClustersField&) const {}  // has no flag

  void takes(Takes what, std::string_view placeholder) const {
    doc.takes = what;
    doc.placeholder = placeholder;
  }
};

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

// The parser says what an argument takes as "TEXT", "FILE", "TEXT:DURATION" or "TEXT:{ready,drain,maint}".
void read_type(std::string_view type, ArgumentDoc& doc) {
  const std::size_t colon = type.find(':');
  const std::string_view limit = colon == std::string_view::npos ? "" : type.substr(colon + 1);
  const bool has_name =
      !limit.empty() && std::all_of(limit.begin(), limit.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  if (limit.starts_with('{')) doc.values = split(limit.substr(1, limit.size() - 2));
  doc.placeholder = has_name ? limit : type.substr(0, colon);
  if (doc.placeholder == "INT") doc.placeholder = "NUMBER";
  doc.takes = doc.placeholder == "FILE" ? Takes::kFile : Takes::kText;
}

ArgumentDoc describe(const CLI::Option& parsed) {
  ArgumentDoc doc;
  for (const std::string& name : parsed.get_snames()) doc.flags.push_back("-" + name);
  for (const std::string& name : parsed.get_lnames()) doc.flags.push_back("--" + name);
  doc.meaning = parsed.get_description();
  doc.is_required = parsed.get_required();
  if (const config::Option* option = option_of(parsed)) {
    doc.group = option->group;
    std::visit(FieldDoc{doc}, option->field);
    doc.is_repeatable = std::holds_alternative<config::ListenField>(option->field);
    const std::string fallback = config::default_text(*option);
    if (doc.takes != Takes::kNothing && fallback != "\"\"") doc.fallback = fallback;
    return doc;
  }
  if (parsed.get_items_expected_max() == 0) return doc;
  read_type(parsed.get_type_name(), doc);
  doc.fallback = parsed.get_default_str();
  doc.is_repeatable = parsed.get_items_expected_max() > 1;
  if (!is_flag(doc)) doc.placeholder = parsed.get_name(true);
  return doc;
}

std::vector<ArgumentDoc> arguments_of(const CLI::App& app) {
  std::vector<ArgumentDoc> all;
  for (const CLI::Option* each : app.get_options()) all.push_back(describe(*each));
  return all;
}

}  // namespace

ProgramDoc describe(const CLI::App& app) {
  ProgramDoc program{std::string(version()), app.get_description(), arguments_of(app), {}};
  for (const CLI::App* each : app.get_subcommands(nullptr)) {
    program.commands.push_back({each->get_name(), each->get_description(), arguments_of(*each)});
  }
  return program;
}

}  // namespace bellwether::app
