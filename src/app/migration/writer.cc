#include "writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "bellwether/base/visible.h"

namespace bellwether::app::migration {
namespace {

// What the comment block calls each kind of finding.
std::string_view heading_of(FindingKind kind) {
  switch (kind) {
    case FindingKind::kLost:
      return "Lost: what the old file says and Bellwether has no counterpart for.";
    case FindingKind::kDecide:
      return "To decide: what was chosen here and a person must look at.";
    case FindingKind::kNote:
      return "Notes: what is said otherwise, or need not be said.";
    case FindingKind::kBetter:
      return "What gets better.";
  }
  return "";
}

// A member of an object or an item of a list, on a line of its own.
struct Entry {
  std::string text;
  std::string comment;
  bool is_off = false;
};

class Writer {
 public:
  Writer(const Plan& plan, std::string_view file) : plan_(plan), file_(for_people(file)) {}

  std::string write() {
    write_findings();
    out_ += "{\n";
    std::vector<Entry> members;
    members.push_back({listeners(), ""});
    members.push_back({nodes(), ""});
    for (const Setting& each : plan_.settings) members.push_back(entry_of(each));
    write_entries(members, "  ");
    return out_ + "}\n";
  }

 private:
  void write_findings() {
    out_ += fmt::format(
        "// Made from {} by `bellwether import-haproxy`, for {}.\n"
        "// `bellwether check --live -f FILE` says whether the cluster can be reached with it.\n",
        file_, for_people(plan_.cluster));
    FindingKind last = FindingKind::kBetter;
    bool is_first = true;
    for (const Finding& each : plan_.findings) {
      if (is_first || each.kind != last) out_ += fmt::format("//\n// {}\n", heading_of(each.kind));
      is_first = false;
      last = each.kind;
      out_ += fmt::format("//   {}\n", text_of(each, file_));
    }
  }

  static std::string text_of(const Finding& finding, std::string_view file) {
    const std::string place = finding.line > 0 ? fmt::format("{}:{}", file, finding.line) : std::string(file);
    return fmt::format("{}: {}: {}", place, finding.subject, finding.advice);
  }

  [[nodiscard]] std::string origin(const Source& from) const {
    return from.line > 0 ? fmt::format("{}:{} {}", file_, from.line, from.text) : "";
  }

  [[nodiscard]] Entry entry_of(const Setting& setting) const {
    const std::string from = origin(setting.from);
    return {fmt::format("\"{}\": {}", setting.key, setting.value),
            from.empty() || setting.remark.empty() ? from + setting.remark : from + ": " + setting.remark,
            setting.is_off};
  }

  // A comma stands behind every entry that is in force but the last one.
  static std::string joined(const std::vector<Entry>& entries, std::string_view indent) {
    std::size_t left = static_cast<std::size_t>(
        std::count_if(entries.begin(), entries.end(), [](const Entry& each) { return !each.is_off; }));
    std::string out;
    for (const Entry& each : entries) {
      if (!each.is_off) --left;
      const std::string_view comma = each.is_off || left > 0 ? "," : "";
      out += fmt::format("{}{}{}{}", indent, each.is_off ? "// " : "", each.text, comma);
      if (!each.comment.empty()) out += fmt::format("  // {}", each.comment);
      out += '\n';
    }
    return out;
  }

  void write_entries(const std::vector<Entry>& entries, std::string_view indent) { out_ += joined(entries, indent); }

  [[nodiscard]] std::string listeners() const {
    std::vector<Entry> items;
    for (const Listener& each : plan_.listeners) {
      std::vector<Entry> members;
      members.push_back({fmt::format("\"address\": {}", json_string(each.address)), origin(each.from)});
      for (const Setting& setting : each.settings) members.push_back(entry_of(setting));
      items.push_back({fmt::format("{{\n{}    }}", joined(members, "      ")), ""});
    }
    return fmt::format("\"listen\": [\n{}  ]", joined(items, "    "));
  }

  [[nodiscard]] std::string nodes() const {
    std::vector<Entry> items;
    for (const Node& each : plan_.nodes) {
      const std::string url = json_string(each.url);
      std::string members;
      if (!each.name.empty()) members += fmt::format(", \"name\": {}", json_string(each.name));
      if (!each.server_name.empty()) members += fmt::format(", \"server_name\": {}", json_string(each.server_name));
      const std::string from = origin(each.from);
      items.push_back({members.empty() ? url : fmt::format("{{\"url\": {}{}}}", url, members),
                       each.remark.empty() ? from : from + ": " + each.remark, each.is_off});
    }
    return fmt::format("\"nodes\": [\n{}  ]", joined(items, "    "));
  }

  const Plan& plan_;
  const std::string file_;
  std::string out_;
};

}  // namespace

std::string json_string(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

std::string write_configuration(const Plan& plan, std::string_view file) { return Writer(plan, file).write(); }

std::string finding_text(const Finding& finding, std::string_view file) {
  const std::string place = finding.line > 0 ? fmt::format("{}:{}", for_people(file), finding.line) : for_people(file);
  return fmt::format("{}: {}: {}: {}", place, word_of(finding.kind), finding.subject, finding.advice);
}

}  // namespace bellwether::app::migration
