#include "file_kind.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "bellwether/base/text.h"

namespace bellwether::config {
namespace {

constexpr std::size_t kMaxLines = 200;

// The first word of a line, and what follows it.
struct Line {
  std::string_view word;
  std::string_view rest;
};

Line split(std::string_view line) {
  line = trim(line);
  const std::size_t end = std::min(line.find_first_of(" \t"), line.size());
  return {line.substr(0, end), trim(line.substr(end))};
}

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// Sections stand alone or before a name (haproxy:doc/configuration.txt section 2).
bool is_haproxy(const Line& line) {
  const bool has_brace = line.rest.find('{') != std::string_view::npos || line.rest.substr(0, 1) == "=";
  if (has_brace) return false;
  return (is_one_of(line.word, {"global", "defaults"}) && line.rest.empty()) ||
         (is_one_of(line.word, {"frontend", "backend"}) && !line.rest.empty());
}

// Vault's and OpenBao's server configuration is HCL: blocks with labels, and assignments.
bool is_hcl(const Line& line) {
  const bool is_block = is_one_of(line.word, {"storage", "listener", "seal", "ha_storage", "telemetry"}) &&
                        line.rest.find('{') != std::string_view::npos;
  const bool is_assignment = !line.word.empty() && line.word.front() != '"' && line.rest.substr(0, 1) == "=";
  return is_block || is_assignment;
}

bool is_yaml(const Line& line) {
  if (line.word == "---") return true;
  const bool is_key = line.word.size() > 1 && line.word.back() == ':' && line.word.front() != '"';
  return is_key && std::all_of(line.word.begin(), line.word.end() - 1, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
         });
}

}  // namespace

std::string name_other_format(std::string_view text) {
  constexpr std::string_view kOurs =
      "Bellwether's is JSON: {\"listen\": \"127.0.0.1:8200\", \"nodes\": [\"https://...\"]}";
  for (std::size_t lines = 0; lines < kMaxLines && !text.empty(); ++lines) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view raw = text.substr(0, end);
    if (!raw.empty() && raw.back() == '\r') raw.remove_suffix(1);
    const Line line = split(raw);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.word.empty() || line.word.front() == '#') continue;
    if (is_one_of(line.word.substr(0, 1), {"{", "[", "/", "\"", "*"})) return {};
    if (is_haproxy(line)) {
      return fmt::format(
          "this is HAProxy's configuration; {}. `bellwether import-haproxy FILE -o bellwether.json` makes one of it",
          kOurs);
    }
    if (is_hcl(line)) {
      return fmt::format("this is HCL, as of a Vault or OpenBao server; {}. Take the servers' api_addr as the nodes",
                         kOurs);
    }
    if (is_yaml(line)) return fmt::format("this is YAML; {}", kOurs);
    return {};
  }
  return {};
}

}  // namespace bellwether::config
