#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bellwether/admin/admin.h"
#include "bellwether/http/serialize.h"
#include "render.h"

namespace bellwether::admin {

// "/node/n2/drain?force=1", taken apart.
struct Target {
  std::string_view path;
  std::string_view query;
};
[[nodiscard]] Target split_target(std::string_view target);

// An order of the control socket.
struct NodeOrder {
  NodeId node;
  cluster::AdminState state{};
  bool force = false;
};
// From "/node/NAME/STATE[?force=1]". kInvalid: no such path, node, state or parameter; the message says which.
[[nodiscard]] Result<NodeOrder> parse_node_order(const Target& target, const cluster::Topology& topology);

inline constexpr Duration kUsualPause = 60s;
inline constexpr Duration kLongestPause = 1h;
// From "/pause[?for=60s]": how long at most.
[[nodiscard]] Result<Duration> parse_pause(const Target& target);

inline constexpr std::size_t kMaxFileName = 4096;  // bytes
// From "/check[?name=FILE]": the name of the file whose text is the body; nothing without a query.
[[nodiscard]] Result<std::optional<std::string>> parse_check(const Target& target);

// From "/upgrade[?path=FILE]"; empty without a query.
[[nodiscard]] Result<std::string> parse_upgrade(const Target& target);

struct LogLevelOrder {
  std::string level;  // as it was said: it may be none
  std::optional<Duration> lasts;
};
inline constexpr Duration kLongestLogLevel = 24h;
// From "/log-level?level=debug[&for=10m]"; nothing without a query: who asks only wants to know.
[[nodiscard]] Result<std::optional<LogLevelOrder>> parse_log_level(const Target& target);

// Whether a GET or HEAD of that path is answered.
[[nodiscard]] bool is_read_path(std::string_view path);
// The answer to one that concerns the whole process, /metrics or /healthz; nothing: it is another path.
[[nodiscard]] std::optional<http::Response> answer_process_read(std::string_view path,
                                                                const std::function<std::string()>& metrics_text);
// The answer to one that concerns a cluster; nothing: it is another path.
[[nodiscard]] std::optional<http::Response> answer_read(std::string_view path, const Snapshot& snapshot);
// The same, asked of a process that has several clusters without saying which. REQUIRES: at least one snapshot.
[[nodiscard]] std::optional<http::Response> answer_read_of_all(std::string_view path,
                                                               const std::vector<Snapshot>& snapshots);

[[nodiscard]] http::Response json_response(int status, std::string body);
[[nodiscard]] http::Response error_response(int status, std::string_view message);
[[nodiscard]] http::Response method_not_allowed(std::string_view allowed);

}  // namespace bellwether::admin
