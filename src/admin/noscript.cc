#include "noscript.h"

#include <fmt/format.h>

namespace bellwether::admin {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string headline(const Snapshot& s) {
  if (s.view.leader) {
    return fmt::format("<strong>{}</strong> leads, epoch {}.", escaped(s.options.node_names.at(s.view.leader->index)),
                       s.view.epoch);
  }
  return fmt::format("<strong>No leader</strong>: {}.", escaped(summary_of(leaderless_of(s))));
}

std::string node_row(const Snapshot& s, std::size_t index) {
  const cluster::NodeView& node = s.view.nodes[index];
  const bool is_leader = s.view.leader && s.view.leader->index == index;
  return fmt::format("<tr><td>{}</td><td>{}{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
                     escaped(s.options.node_names.at(index)), to_text(node.role), is_leader ? ", leader" : "",
                     node.up ? "up" : "down", escaped(node.facts.version), escaped(trouble_of(node)));
}

}  // namespace

std::string noscript_html(const Snapshot& s) {
  std::string out = fmt::format("<section><p>{} As of {}; load the page again for newer.</p>\n", headline(s),
                                format_utc(s.wall_at(s.now)));
  out +=
      "<div "
      "class=\"scroll\"><table><tr><th>Node</th><th>Role</th><th>Answers</th><th>Version</th><th>Remark</th></tr>\n";
  for (std::size_t i = 0; i < s.view.nodes.size(); ++i) out += node_row(s, i);
  return out + "</table></div></section>\n";
}

}  // namespace bellwether::admin
