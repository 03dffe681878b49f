#include "sections.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "bellwether/base/visible.h"
#include "lexer.h"

namespace bellwether::app::migration {
namespace {

using Kind = Section::Kind;

struct Header {
  std::string_view word;
  Kind kind;
};

constexpr std::array<Header, 19> kHeaders{{{"global", Kind::kGlobal},
                                           {"defaults", Kind::kDefaults},
                                           {"frontend", Kind::kFrontend},
                                           {"backend", Kind::kBackend},
                                           {"listen", Kind::kListen},
                                           {"resolvers", Kind::kOther},
                                           {"peers", Kind::kOther},
                                           {"userlist", Kind::kOther},
                                           {"cache", Kind::kOther},
                                           {"mailers", Kind::kOther},
                                           {"program", Kind::kOther},
                                           {"http-errors", Kind::kOther},
                                           {"ring", Kind::kOther},
                                           {"log-forward", Kind::kOther},
                                           {"fcgi-app", Kind::kOther},
                                           {"crt-store", Kind::kOther},
                                           {"traces", Kind::kOther},
                                           {"acme", Kind::kOther},
                                           {"log-profile", Kind::kOther}}};

const Header* header_of(std::string_view word) {
  const auto* found =
      std::find_if(kHeaders.begin(), kHeaders.end(), [&](const Header& each) { return each.word == word; });
  return found == kHeaders.end() ? nullptr : found;
}

// What the file's own "setenv" and its kin say goes before the environment.
class Variables {
 public:
  explicit Variables(const Surroundings& outer) : outer_(outer) {}

  [[nodiscard]] std::optional<std::string> find(const std::string& name) const {
    const auto own = own_.find(name);
    return own != own_.end() ? own->second : look_up(outer_.variable, name);
  }
  void take(const Line& line) {
    const std::string_view word = line.word(0);
    if (word == "setenv") own_[std::string(line.word(1))] = line.word(2);
    if (word == "presetenv" && !find(std::string(line.word(1)))) own_[std::string(line.word(1))] = line.word(2);
    if (word != "unsetenv") return;
    for (std::size_t i = 1; i < line.words.size(); ++i) own_[line.words[i]] = std::nullopt;
  }

 private:
  const Surroundings& outer_;
  std::map<std::string, std::optional<std::string>> own_;
};

class Reader {
 public:
  explicit Reader(const Surroundings& surroundings) : variables_(surroundings) {
    lexical_.variable = [this](const std::string& name) {
      const auto value = variables_.find(name);
      if (!value) remember_unset(name);
      return value;
    };
  }

  Document read(std::string_view text) {
    for (int number = 1; !text.empty() && out_.problems.size() < kMaxProblems; ++number) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      read_line(number, text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    if (out_.sections.empty() && out_.problems.empty()) problem(1, "there is no section: this is no haproxy.cfg");
    return std::move(out_);
  }

 private:
  void problem(int line, std::string message) { out_.problems.push_back({line, std::move(message)}); }

  void remember_unset(const std::string& name) {
    const bool is_own = name.front() == '.';  // of the file itself, such as ${.LINE}
    const bool is_known =
        std::any_of(out_.unset.begin(), out_.unset.end(), [&](const Problem& each) { return each.message == name; });
    if (!is_own && !is_known && out_.unset.size() < kMaxProblems) out_.unset.push_back({number_, name});
  }

  void read_line(int number, std::string_view text) {
    number_ = number;
    Result<std::vector<std::string>> words = split_line(text, lexical_);
    if (!words) return problem(number, words.error().message);
    if (words->empty()) return;
    Line line{number, std::move(*words)};
    if (line.word(0).substr(0, 1) == ".") return out_.conditions.push_back(std::move(line));
    if (const Header* header = header_of(line.word(0))) return begin_section(*header, line);
    if (out_.sections.empty()) {
      return problem(number, fmt::format("\"{}\" stands before any section", for_people(shown(line))));
    }
    Section& section = out_.sections.back();
    if (section.kind == Kind::kGlobal) variables_.take(line);
    if (section.kind == Kind::kDefaults && ++defaults_lines_ > kMaxDefaultsLines) {
      return problem(number, fmt::format("there are more than {} lines in \"defaults\"", kMaxDefaultsLines));
    }
    section.lines.push_back(std::move(line));
  }

  void begin_section(const Header& header, const Line& line) {
    if (out_.sections.size() >= kMaxSections) {
      return problem(line.number, fmt::format("there are more than {} sections", kMaxSections));
    }
    Section section;
    section.kind = header.kind;
    section.word = header.word;
    section.line = line.number;
    std::size_t next = 1;
    if (line.words.size() > 1 && line.word(1) != "from") section.name = line.words[next++];
    if (section.is_proxy() && section.name.empty()) {
      problem(line.number, fmt::format("\"{}\" needs a name", header.word));
    }
    if (section.kind != Kind::kOther) inherit(section, line, next);
    if (section.kind == Kind::kDefaults) remember_defaults(section);
    out_.sections.push_back(std::move(section));
  }

  // The "defaults" section named by "from", else the latest one; another "defaults" section begins anew without "from".
  void inherit(Section& section, const Line& line, std::size_t next) {
    if (line.word(next) == "from") {
      const auto named = defaults_.find(std::string(line.word(next + 1)));
      if (named == defaults_.end()) {
        return problem(line.number, fmt::format("there is no \"defaults {}\" above this line",
                                                for_people(line.word(next + 1).substr(0, 100))));
      }
      section.parent = named->second;
    } else if (line.words.size() > next) {
      problem(line.number, fmt::format("\"{}\" is not understood here", for_people(line.word(next).substr(0, 100))));
    } else if (section.is_proxy()) {
      section.parent = latest_defaults_;
    }
    if (!section.parent) return;
    section.depth = out_.sections[*section.parent].depth + 1;
    if (section.depth <= kMaxInheritance) return;
    problem(line.number, fmt::format("more than {} \"defaults\" come from each other", kMaxInheritance));
    section.parent.reset();
    section.depth = 0;
  }

  void remember_defaults(const Section& section) {
    latest_defaults_ = out_.sections.size();
    if (!section.name.empty()) defaults_[section.name] = *latest_defaults_;
  }

  Variables variables_;
  Surroundings lexical_;
  Document out_;
  std::map<std::string, std::size_t> defaults_;
  std::optional<std::size_t> latest_defaults_;
  std::size_t defaults_lines_ = 0;
  int number_ = 0;
};

bool begins_with(const Line& line, std::string_view first, std::string_view second, std::size_t at) {
  return line.word(at) == first && (second.empty() || line.word(at + 1) == second);
}

}  // namespace

const Line* Document::find(const Section& section, std::string_view first, std::string_view second) const {
  for (const Section* each = &section;; each = &sections[*each->parent]) {
    for (auto line = each->lines.rbegin(); line != each->lines.rend(); ++line) {
      if (line->word(0) == "no" && begins_with(*line, first, second, 1)) return nullptr;
      if (begins_with(*line, first, second, 0)) return &*line;
    }
    if (!each->parent) return nullptr;
  }
}

std::vector<const Line*> Document::all(const Section& section, std::string_view first) const {
  std::vector<const Line*> found;
  for (const Section* each = &section; found.empty(); each = &sections[*each->parent]) {
    for (const Line& line : each->lines) {
      if (line.word(0) == first) found.push_back(&line);
    }
    if (!each->parent) break;
  }
  return found;
}

std::vector<const Line*> Document::lines_of(const Section& section) const {
  std::vector<const Section*> chain = {&section};
  while (chain.back()->parent) chain.push_back(&sections[*chain.back()->parent]);
  std::vector<const Line*> found;
  for (auto each = chain.rbegin(); each != chain.rend(); ++each) {
    for (const Line& line : (*each)->lines) found.push_back(&line);
  }
  return found;
}

Document read_sections(std::string_view text, const Surroundings& surroundings) {
  return Reader(surroundings).read(text);
}

}  // namespace bellwether::app::migration
