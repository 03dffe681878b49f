#include "trace.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "bellwether/vault/health.h"
#include "catch.hpp"
#include "support/paths.h"

namespace bellwether::cluster::testing {
namespace {

NodeId node_named(const std::string& name) {
  REQUIRE(name.size() == 2);
  return NodeId{static_cast<std::uint32_t>(name[1] - '1')};
}

ProbeEnd probe_end(const Trace::Answer& answer) {
  if (answer.status != 0) return vault::classify_health(answer.status, answer.body);
  if (answer.error == "ConnectionRefusedError") return ProbeFailure::kRefused;
  if (answer.error == "RemoteDisconnected") return ProbeFailure::kClosed;
  return ProbeFailure::kReset;
}

}  // namespace

Trace::Trace(const std::filesystem::path& file) : name_(file.stem().string()) {
  std::ifstream in(file);
  std::string line;
  REQUIRE(std::getline(in, line));
  old_leader_ = node_named(nlohmann::json::parse(line).at("leader"));
  while (std::getline(in, line)) {
    const nlohmann::json entry = nlohmann::json::parse(line);
    Stretch stretch;
    stretch.from = entry.at("from");
    stretch.to = entry.at("to");
    stretch.took = entry.at("took_ms").at("median").get<double>() / 1000;
    stretch.answer.status = entry.at("status");
    stretch.answer.error = entry.value("error", "");
    if (entry.contains("body")) stretch.answer.body = entry.at("body").dump();
    if (entry.at("ask") == "health") stretch.answer.probe_end = probe_end(stretch.answer);
    ends_ = std::max(ends_, stretch.to);
    stretches_[{node_named(entry.at("node")).number, entry.at("ask")}].push_back(stretch);
  }
  for (auto& [key, list] : stretches_) {
    std::sort(list.begin(), list.end(), [](const Stretch& a, const Stretch& b) { return a.from < b.from; });
  }
  find_new_leader();
}

void Trace::find_new_leader() {
  bool old_was_lost = false;
  for (const Stretch& stretch : stretches_.at({old_leader_.number, "health"})) {
    old_was_lost = old_was_lost || (stretch.from > 0 && stretch.answer.status != 200);
    if (!old_was_lost || stretch.answer.status != 200) continue;
    new_leader_ = old_leader_;
    first_new_200_ = stretch.from;
    break;
  }
  for (std::uint32_t i = 0; i < 3; ++i) {
    if (i == old_leader_.number) continue;
    for (const Stretch& stretch : stretches_.at({i, "health"})) {
      if (stretch.answer.status != 200 || (new_leader_.has_value() && stretch.from > first_new_200_)) continue;
      new_leader_ = NodeId{i};
      first_new_200_ = stretch.from;
    }
  }
}

// The rule of tests/traces/README.md: between two stretches as the next one; inside a single slow answer, when that
// one is answered.
Trace::Answered Trace::ask(NodeId node, const std::string& kind, double t) const {
  const std::vector<Stretch>& list = stretches_.at({node.number, kind});
  for (const Stretch& stretch : list) {
    const bool slow = stretch.took > 0.1 && stretch.from == stretch.to;
    const double covers_until = slow ? stretch.from + stretch.took : stretch.to;
    if (t > covers_until) continue;
    return Answered{&stretch.answer, slow ? stretch.from + stretch.took : t + stretch.took};
  }
  return Answered{&list.back().answer, t + list.back().took};
}

std::vector<Trace> all_traces() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(bellwether::testing::source_dir() + "/tests/traces")) {
    if (entry.path().extension() == ".jsonl") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<Trace> traces;
  for (const auto& file : files) traces.emplace_back(file);
  return traces;
}

}  // namespace bellwether::cluster::testing
