#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bellwether/base/time.h"
#include "bellwether/http/head.h"
#include "bellwether/vault/effect.h"

namespace bellwether::vault {

// Which engine a path leads to is asked of a node, by the question that the command line client asks before each kv
// command (V:command/kv_helpers.go): GET /v1/sys/internal/ui/mounts/<path>, with the client's own token. It is answered
// without a policy of its own and takes no use from a use-limited token, for the path needs none
// (V:vault/logical_system.go, PathsSpecial.Unauthenticated).

struct Mount {
  std::string path;  // with a "/" at its end, below the request's namespace
  std::string type;
  bool is_built_in = false;  // else a plugin of somebody's own
};

// The question about the mount of `sent`, a whole head as it was sent to a node. Empty if there is no such question.
[[nodiscard]] std::string mount_request(const http::RequestHead& sent);
[[nodiscard]] std::optional<Mount> parse_mount(int status, std::string_view body);
// Never kByMount. `path`: undecoded, as in effect_of().
[[nodiscard]] Effect effect_in(const Mount& mount, std::string_view path);

// The mounts that were asked about lately, of all namespaces. Bounded; what is forgotten is asked again.
class MountTable {
 public:
  static constexpr std::size_t kMaxMounts = 256;
  static constexpr Duration kMaxAge = 60s;  // another engine may be mounted there by then

  void remember(std::string_view namespace_header, Mount mount, TimePoint now);
  // Empty if no mount of that namespace is known that `path` leads to.
  [[nodiscard]] std::optional<Effect> effect_of(std::string_view namespace_header, std::string_view path,
                                                TimePoint now) const;

 private:
  struct Entry {
    std::string namespace_header;
    Mount mount;
    TimePoint learned;
  };
  std::vector<Entry> entries_;  // the oldest first
};

}  // namespace bellwether::vault
