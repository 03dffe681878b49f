#pragma once

#include <string_view>

namespace bellwether::vault {

// What a browser asks for before anybody has logged in. As in request_class.h, `path` is undecoded and without query,
// and only the plain spelling matches, because a match lets a request go to a node that does not lead.

// "/", "/ui/" and what is below it: every node serves them by itself, sealed or not, and forwards none of them
// (V and B: http/handler.go, handleUI and handleUIRedirect).
[[nodiscard]] bool is_ui_file(std::string_view method, std::string_view path);

// What the UI's pages ask without a token: sys/internal/ui/..., sys/replication/status, sys/license/features. A sealed
// node answers 503 at once, and the UI then shows how to unseal it. With a token the same paths are for the leader: the
// command-line client asks sys/internal/ui/mounts/PATH before every `kv` command.
[[nodiscard]] bool is_ui_question(std::string_view method, std::string_view path, bool carries_token);

}  // namespace bellwether::vault
