#include <fmt/format.h>

#include "answer_text.h"
#include "ask.h"
#include "clusters_text.h"
#include "commands.h"

namespace bellwether::app {
namespace {

Result<std::string> text_of_one(const Json& answer) {
  if (!answer.is_object() || !part_of(answer, "ambiguous").is_array()) {
    return fail(ErrorKind::kProtocol, "the answer is not Bellwether's /ambiguous");
  }
  std::vector<Row> rows{{"TIME", "REQUEST ID", "METHOD", "CLASS", "NODE", "EPOCH", "STATUS", "WHY"}};
  for (const Json& each : part_of(answer, "ambiguous")) {
    if (!each.is_object()) continue;
    rows.push_back({text_of(each, "time"), text_of(each, "id"), text_of(each, "method"), text_of(each, "class"),
                    text_of(each, "node"), fmt::format("{:.0f}", number_of(each, "epoch")),
                    fmt::format("{:.0f}", number_of(each, "status")), text_of(each, "why")});
  }
  return rows.size() > 1 ? table(rows) : std::string("no request whose execution is in doubt\n");
}

Result<std::string> ambiguous_text(std::string_view json) {
  return clusters_text(Json::parse(json, nullptr, false), &text_of_one);
}

}  // namespace

int ambiguous_command(const ReportOptions& options) {
  return print_report({"ambiguous", "/ambiguous", &ambiguous_text}, options);
}

}  // namespace bellwether::app
