#include "cluster_path.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "bellwether/base/percent.h"
#include "bellwether/base/text.h"

namespace bellwether::admin {
namespace {

constexpr std::string_view kPrefix = "/clusters/";

// What an error repeats of a text that came with a request.
constexpr std::size_t kMaxShown = 64;

std::string shown(std::string_view text) {
  return fmt::format("{}{}", printable(text, kMaxShown), text.size() > kMaxShown ? "..." : "");
}

}  // namespace

Result<ClusterPath> parse_cluster_path(std::string_view path) {
  if (!path.starts_with(kPrefix)) return ClusterPath{.rest = std::string(path)};
  const std::size_t end = std::min(path.find('/', kPrefix.size()), path.size());
  auto name = percent_decoded(path.substr(kPrefix.size(), end - kPrefix.size()));
  if (!name) return fail(ErrorKind::kInvalid, "broken percent escape in the cluster's name");
  const std::string_view rest = path.substr(end);
  return ClusterPath{.cluster = std::move(*name), .rest = rest.empty() ? "/" : std::string(rest)};
}

std::string cluster_prefix(std::string_view cluster) {
  if (cluster.empty()) return {};
  return fmt::format("{}{}", kPrefix, percent_encoded(cluster));
}

bool is_process_path(std::string_view path) {
  static constexpr std::array<std::string_view, 6> kPaths = {"/metrics", "/healthz",   "/reload",
                                                             "/check",   "/log-level", "/upgrade"};
  return std::find(kPaths.begin(), kPaths.end(), path) != kPaths.end();
}

std::string process_path_refusal(std::string_view path) {
  return fmt::format("{0} concerns the whole process, not one cluster: ask for {0} without /clusters/NAME", path);
}

std::string no_such_cluster(std::string_view name, const std::vector<std::string_view>& names) {
  std::string message = fmt::format("no cluster is named \"{}\"", shown(name));
  if (names.size() == 1 && names.front().empty()) return message + ": this process has one cluster, without a name";
  message += fmt::format("; there {} {}", names.size() == 1 ? "is" : "are", fmt::join(names, ", "));
  if (const auto close = nearest(name, names)) message += fmt::format("; did you mean \"{}\"?", *close);
  return message;
}

std::string several_clusters(std::string_view path, const std::vector<std::string_view>& names) {
  return fmt::format("there are several clusters ({}): say which, with --cluster NAME (/clusters/NAME{})",
                     fmt::join(names, ", "), shown(path));
}

}  // namespace bellwether::admin
