#include "noscript.h"

#include <fmt/format.h>

#include "html.h"

namespace bellwether::admin {
namespace {

std::string headline(const Snapshot& s) {
  if (s.view.leader) {
    return fmt::format("<strong>{}</strong> leads, epoch {}.", escaped_html(s.view.name(*s.view.leader)), s.view.epoch);
  }
  return fmt::format("<strong>No leader</strong>: {}.", escaped_html(summary_of(leaderless_of(s))));
}

std::string node_row(const Snapshot& s, NodeId id) {
  const cluster::NodeView& node = s.view.nodes.at(id);
  const bool is_leader = s.view.leader == id;
  return fmt::format("<tr><td>{}</td><td>{}{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
                     escaped_html(s.view.name(id)), to_text(node.role), is_leader ? ", leader" : "",
                     node.up ? "up" : "down", escaped_html(node.facts.version), escaped_html(trouble_of(node)));
}

}  // namespace

std::string noscript_html(const Snapshot& s) {
  std::string out = fmt::format("<section><p>{} As of {}; load the page again for newer.</p>\n", headline(s),
                                format_utc(s.wall_at(s.now)));
  out +=
      "<div "
      "class=\"scroll\"><table><tr><th>Node</th><th>Role</th><th>Answers</th><th>Version</th><th>Remark</th></tr>\n";
  for (const NodeId id : s.view.nodes.ids()) out += node_row(s, id);
  return out + "</table></div></section>\n";
}

}  // namespace bellwether::admin
