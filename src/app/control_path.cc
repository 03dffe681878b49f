#include "control_path.h"

#include <unistd.h>

#include <cstdlib>

namespace bellwether::app {

namespace {

constexpr const char* kRunDirectory = "/run/bellwether";
constexpr const char* kRunSocket = "/run/bellwether/control.sock";

std::optional<std::string> session_socket() {
  const char* directory = std::getenv("XDG_RUNTIME_DIR");
  if (directory == nullptr || *directory == '\0') return std::nullopt;
  return std::string(directory) + "/bellwether.sock";
}

bool is_auto(const std::string& configured) { return configured.empty() || configured == "auto"; }

}  // namespace

std::optional<std::string> control_path_to_listen(const std::string& configured) {
  if (configured == "off") return std::nullopt;
  if (!is_auto(configured)) return configured;
  if (::access(kRunDirectory, W_OK | X_OK) == 0) return kRunSocket;
  return session_socket();
}

std::optional<std::string> control_path_to_ask(const std::string& configured) {
  if (configured == "off") return std::nullopt;
  if (!is_auto(configured)) return configured;
  if (::access(kRunSocket, F_OK) == 0) return kRunSocket;
  auto session = session_socket();
  if (session && ::access(session->c_str(), F_OK) == 0) return session;
  return std::nullopt;
}

}  // namespace bellwether::app
