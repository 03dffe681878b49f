#include "finding.h"

#include <fmt/format.h>

#include <algorithm>

#include "bellwether/base/assert.h"
#include "bellwether/base/text.h"
#include "bellwether/base/visible.h"

namespace bellwether::app {
namespace {

constexpr std::size_t kMaxTextBytes = 700;

std::string shown(std::string_view text) {
  return for_people(text.size() <= kMaxTextBytes ? std::string(text)
                                                 : fmt::format("{}...", text.substr(0, kMaxTextBytes)));
}

}  // namespace

std::string_view to_text(Severity severity) { return severity == Severity::kProblem ? "problem" : "remark"; }

const FindingRow& row_of(FindingId id) {
  const auto& rows = finding_rows();
  const auto found = std::find_if(rows.begin(), rows.end(), [id](const FindingRow& row) { return row.id == id; });
  BW_ASSERT(found != rows.end());
  return *found;
}

std::string code_of(FindingId id) { return fmt::format("BW{:03}", static_cast<int>(id)); }

std::string Finding::to_string() const { return fmt::format("{} {}: {}; {}", code_of(id), node, cause, remedy); }

void Diagnosis::add(FindingId id, std::string_view node, std::string_view cause, std::string_view remedy) {
  Finding finding{id, shown(node), shown(cause), shown(remedy.empty() ? row_of(id).remedy : remedy)};
  const bool is_known = std::any_of(findings.begin(), findings.end(), [&](const Finding& each) {
    return each.id == id && each.node == finding.node && each.cause == finding.cause;
  });
  if (!is_known) findings.push_back(std::move(finding));
}

bool Diagnosis::is_fine() const {
  return std::none_of(findings.begin(), findings.end(),
                      [](const Finding& each) { return each.severity() == Severity::kProblem; });
}

std::string findings_markdown() {
  std::string text = R"(# Findings of `bellwether check`

Derived from `src/app/doctor/finding_rows.cc`; a test compares it. `bellwether check --live` asks every node and prints a line for each thing that it finds:
`BW013 vault2:8200: cause; remedy`. With `--json` it is an object of `findings`: `id`, `severity`, `node`, `cause`, `remedy`. `node` is the node, the listener or the option that the
finding concerns, or "cluster". A *problem* makes the check fail (exit code 1), a *remark* does not. An id keeps its meaning, and is never given to another finding. Without
`--live` the check looks at files and names only.

Where the configuration has `clusters`, all of them are asked at the same time. Each finding about one of them, and each of `nodes`, has the cluster's name as `cluster`; in the text it
stands under a line with that name, or behind it. What concerns the process (its limits, its admin address), or is the same in all clusters by a common option such as `tls_cert`, is found once and has no `cluster`.

| id | severity | finding |
|---|---|---|
)";
  for (const FindingRow& row : finding_rows()) {
    const std::string code = code_of(row.id);
    text += fmt::format("| [{}](#{}) | {} | {} |\n", code, lower_ascii(code), to_text(row.severity), row.title);
  }
  for (const FindingRow& row : finding_rows()) {
    text += fmt::format("\n## {}\n\n**{}** ({}). {}\n\nWhy it matters: {}\n\nWhat to do: {}.\n", code_of(row.id),
                        row.title, to_text(row.severity), row.means, row.matters, row.remedy);
  }
  return text;
}

}  // namespace bellwether::app
