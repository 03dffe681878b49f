#include "bellwether/vault/ui_requests.h"

namespace bellwether::vault {
namespace {

bool only_reads(std::string_view method) { return method == "GET" || method == "HEAD"; }

// A node cleans or decodes any other spelling, and might route it to something else.
bool is_plain(std::string_view path) {
  return path.find('%') == std::string_view::npos && path.find("//") == std::string_view::npos &&
         path.find("/.") == std::string_view::npos;
}

}  // namespace

bool is_ui_file(std::string_view method, std::string_view path) {
  const bool is_below_ui = path.starts_with("/ui/") && is_plain(path);
  return only_reads(method) && (path == "/" || path == "/ui" || is_below_ui);
}

bool is_ui_question(std::string_view method, std::string_view path, bool carries_token) {
  if (carries_token || !only_reads(method) || !is_plain(path)) return false;
  return path.starts_with("/v1/sys/internal/ui/") || path == "/v1/sys/replication/status" ||
         path == "/v1/sys/license/features";
}

}  // namespace bellwether::vault
