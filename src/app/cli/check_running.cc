#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "answer_text.h"
#include "bellwether/base/percent.h"
#include "bellwether/base/visible.h"
#include "check.h"
#include "commands.h"
#include "control.h"
#include "running_text.h"

namespace bellwether::app {
namespace {

using OrderedJson = nlohmann::ordered_json;

std::string no_answer(const std::string& why) {
  constexpr std::string_view kWayOut = ". Is `bellwether run` running, as this user? --control names its socket";
  const bool has_way_out = why.find("--control") != std::string::npos;
  return fmt::format("no running process can be asked: {}{}", why, has_way_out ? "" : kWayOut);
}

// The running process's report of a trial, whether it refuses the configuration or not.
Result<Json> try_reload(const std::optional<config::File>& file, const ControlChoice& control) {
  const std::string target = file ? "/check?name=" + percent_encoded(file->name) : "/check";
  const auto reply = post_order(control, target, kReloadPatience, file ? file->text : std::string());
  if (!reply) return tl::unexpected(Error{reply.error().kind, no_answer(reply.error().message)});
  Json report = Json::parse(reply->body, nullptr, false);
  if (report.is_object() && report.contains("changes")) return report;
  return fail(ErrorKind::kProtocol, fmt::format("the running process refuses to tell: {}", refusal_of(*reply)));
}

// Of the running process, which has put their places into their texts.
std::vector<config::Problem> as_problems(const Json& list) {
  std::vector<config::Problem> problems;
  for (const Json& each : list) {
    if (!each.is_string()) continue;
    problems.emplace_back();
    problems.back().message = each.get<std::string>();
  }
  return problems;
}

std::string text_of_problem(const config::Problem& problem) {
  return problem.file.empty() ? for_people(problem.message) : problem.to_string();
}

int code_of(const config::Loaded& loaded, const CheckReport& found, const Result<Json>& report) {
  if (!report || !loaded.problems.empty() || !found.is_fine()) return kExitFailed;
  return is_different(*report) ? kExitDiffers : kExitFine;
}

void print_json(const config::Loaded& loaded, const CheckReport& found, const Result<Json>& report,
                const CheckOptions& options) {
  OrderedJson json = findings_json(loaded, found, options);
  if (report) {
    json["running"] = {{"differs", is_different(*report)},
                       {"changes", part_of(*report, "changes")},
                       {"needs_restart", part_of(*report, "needs_restart")}};
  } else {
    json["running"] = {{"error", report.error().message}};
  }
  fmt::print("{}\n", json.dump(2, ' ', false, OrderedJson::error_handler_t::replace));
}

void print_text(const config::Loaded& loaded, const CheckReport& found, const Result<Json>& report,
                const CheckOptions& options) {
  for (const config::Problem& each : loaded.problems) fmt::print(stderr, "{}\n", text_of_problem(each));
  print_findings(found, options);
  if (!report) return fmt::print(stderr, "bellwether check: {}\n", for_people(report.error().message));
  if (loaded.problems.empty()) fmt::print("{}", running_text(*report, for_people(options.name)));
}

}  // namespace

int check_running_command(const config::Sources& sources, const ControlChoice& control, const CheckOptions& options) {
  const Result<Json> report = try_reload(sources.file, control);
  config::Loaded loaded;
  if (sources.file) loaded = config::load(sources);
  // Without the flags and the environment of the running process a file may lack something: what that process says of
  // the file counts, where it can be asked.
  const bool is_whole = sources.file && loaded.problems.empty();
  if (report) {
    loaded.problems = as_problems(part_of(*report, "problems"));
    loaded.hints = as_problems(part_of(*report, "hints"));
  }
  CheckReport found;
  if (is_whole && loaded.problems.empty()) found = examine(loaded.config, options);
  options.json ? print_json(loaded, found, report, options) : print_text(loaded, found, report, options);
  return code_of(loaded, found, report);
}

}  // namespace bellwether::app
