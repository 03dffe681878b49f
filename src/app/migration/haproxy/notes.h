#pragma once

#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "finding.h"

namespace bellwether::app::migration {

inline constexpr std::size_t kMaxFindings = 1000;

// Collects what is to be told, each once and in a bounded number.
class Notes {
 public:
  void add(FindingKind kind, const Line& line, std::string_view advice);
  void add(FindingKind kind, int line, std::string subject, std::string_view advice);
  void lost(const Line& line, std::string_view advice) { add(FindingKind::kLost, line, advice); }
  void decide(const Line& line, std::string_view advice) { add(FindingKind::kDecide, line, advice); }
  void note(const Line& line, std::string_view advice) { add(FindingKind::kNote, line, advice); }

  // Sorted by kind, then by line.
  [[nodiscard]] std::vector<Finding> take();

 private:
  std::set<std::pair<int, std::string>> told_;
  std::vector<Finding> findings_;
  std::size_t left_out_ = 0;
};

}  // namespace bellwether::app::migration
