#include "tabs.h"

#include <fmt/format.h>

#include <algorithm>

#include "cluster_path.h"
#include "html.h"

namespace bellwether::admin {
namespace {

std::string in_words(std::string_view state) {
  std::string words(state);
  std::replace(words.begin(), words.end(), '_', ' ');
  return words;
}

}  // namespace

std::string tabs_html(const Snapshot& s) {
  if (s.clusters.size() < 2) return {};
  std::string out = "<nav aria-label=\"Clusters\"><ul>\n";
  for (const ClusterMark& each : s.clusters) {
    out += fmt::format(
        "<li><a href=\"{}/\"{} data-cluster=\"{}\" data-state=\"{}\">{} <span class=\"mark\">{}</span></a></li>\n",
        escaped_html(cluster_prefix(each.name)), each.name == s.cluster ? " aria-current=\"page\"" : "",
        escaped_html(each.name), each.state, escaped_html(each.name), in_words(each.state));
  }
  return out + "</ul></nav>\n";
}

}  // namespace bellwether::admin
