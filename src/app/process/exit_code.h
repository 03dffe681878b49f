#pragma once

namespace bellwether::app {

// Exit codes of every command.
inline constexpr int kExitFine = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
// `check --running`: a reload or a restart would change something. `import-haproxy --strict`: something is lost.
inline constexpr int kExitDiffers = 3;

}  // namespace bellwether::app
