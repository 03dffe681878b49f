#pragma once

#include <string>
#include <string_view>

#include "ask.h"
#include "bellwether/base/result.h"
#include "bellwether/wire/client.h"
#include "commands.h"

namespace bellwether::app {

// For commands that give orders to a running Bellwether.

// POSTs to its control socket, and gives its answer, whatever it is.
[[nodiscard]] Result<wire::Reply> post_order(const ControlChoice& choice, const std::string& target,
                                             Duration patience = kUsualPatience, std::string body = {});
// The same, where a refusal is an error. The body of the answer.
[[nodiscard]] Result<std::string> order(const ControlChoice& choice, const std::string& target);
// For a reload and its trial: a file system and a name server that do not answer are waited for, for the reload before
// this one too.
inline constexpr Duration kReloadPatience = 20s;

}  // namespace bellwether::app
