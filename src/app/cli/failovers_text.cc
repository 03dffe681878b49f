#include "failovers_text.h"

#include <fmt/format.h>

#include "answer_text.h"
#include "clusters_text.h"

namespace bellwether::app {
namespace {

std::string name_or(const Json& failover, const char* key, const char* otherwise) {
  const std::string name = text_of(failover, key);
  return name.empty() ? otherwise : name;
}

// From the first sign on; nothing if it was not seen.
std::string moment(const Json& failover, const char* key) {
  const Json& moments = part_of(failover, "ms_from_sign");
  const double ms = moments.is_object() ? number_of(moments, key, -1) : -1;
  return ms < 0 ? std::string("-") : span_text(ms / 1000);
}

std::string count(const Json& failover, const char* key) { return fmt::format("{:.0f}", number_of(failover, key)); }

// Sessions in tcp mode that were ended so that their clients come back to the new leader.
double moved(const Json& how) {
  if (!how.is_object()) return 0;
  double sum = 0;
  for (const char* key : {"idle", "at_request", "after_answer", "at_deadline"}) sum += number_of(how, key);
  return sum;
}

Row row_of(const Json& failover) {
  const std::string doubt = flag_of(failover, "open") ? "?" : "";
  return {text_of(failover, "time"),
          text_of(failover, "cause") + doubt,
          name_or(failover, "from", "nobody"),
          name_or(failover, "to", "nobody yet"),
          moment(failover, "demoted"),
          moment(failover, "elected"),
          moment(failover, "first_success"),
          count(failover, "held"),
          count(failover, "retried"),
          count(failover, "failed"),
          count(failover, "cut"),
          fmt::format("{:.0f}", moved(part_of(failover, "moved"))),
          text_of(failover, "sign")};
}

Result<std::string> text_of_one(const Json& answer) {
  if (!answer.is_object() || !part_of(answer, "failovers").is_array()) {
    return fail(ErrorKind::kProtocol, "the answer is not Bellwether's /failovers");
  }
  std::vector<Row> rows{{"FIRST SIGN", "CAUSE", "FROM", "TO", "DEMOTED", "ELECTED", "SERVED", "HELD", "RETRIED",
                         "FAILED", "CUT", "MOVED", "WHAT IT WAS"}};
  for (const Json& failover : part_of(answer, "failovers")) {
    if (failover.is_object()) rows.push_back(row_of(failover));
  }
  return rows.size() > 1 ? table(rows) : std::string("no failover yet\n");
}

}  // namespace

Result<std::string> failovers_text(std::string_view json) {
  return clusters_text(Json::parse(json, nullptr, false), &text_of_one);
}

}  // namespace bellwether::app
