#include "notes.h"

#include <fmt/format.h>

#include <algorithm>

namespace bellwether::app::migration {

void Notes::add(FindingKind kind, const Line& line, std::string_view advice) {
  add(kind, line.number, shown(line), advice);
}

void Notes::add(FindingKind kind, int line, std::string subject, std::string_view advice) {
  if (told_.count({line, std::string(advice)}) > 0) return;
  if (findings_.size() >= kMaxFindings) {
    ++left_out_;
    return;
  }
  told_.emplace(line, advice);
  findings_.push_back({kind, line, std::move(subject), std::string(advice)});
}

std::vector<Finding> Notes::take() {
  std::stable_sort(findings_.begin(), findings_.end(), [](const Finding& a, const Finding& b) {
    return std::pair(a.kind, a.line) < std::pair(b.kind, b.line);
  });
  if (left_out_ > 0) {
    findings_.push_back({FindingKind::kLost, 0, fmt::format("{} more findings", left_out_),
                         "they are not listed; import a file with this cluster alone"});
  }
  return std::move(findings_);
}

}  // namespace bellwether::app::migration
