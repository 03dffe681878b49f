#include "bellwether/vault/request_class.h"

#include <string>

#include "bellwether/base/percent.h"
#include "bellwether/vault/ui_requests.h"

namespace bellwether::vault {
namespace {

constexpr std::string_view kSystem = "/v1/sys/";
constexpr std::string_view kMonitor = "monitor";
constexpr std::string_view kEvents = "events/subscribe";

// `path` begins behind "sys/".
bool is_stream(std::string_view path) {
  for (const std::string_view name : {kMonitor, kEvents}) {
    if (!path.starts_with(name)) continue;
    const std::string_view rest = path.substr(name.size());
    const bool has_arguments = name == kEvents && rest.starts_with('/');
    if (rest.empty() || rest == "/" || has_arguments) return true;
  }
  return false;
}

RequestClass class_in_system(std::string_view method, std::string_view name) {
  if (name == "health" || name == "leader" || name == "seal-status") return RequestClass::kNodeLocal;
  // `vault operator init -status` asks with GET, which any node answers, sealed or not (V16:http/sys_init.go).
  const bool only_asks = name == "init" && (method == "GET" || method == "HEAD");
  if (only_asks) return RequestClass::kNodeLocal;
  if (name == "init" || name == "unseal") return RequestClass::kBootstrap;
  return is_stream(name) ? RequestClass::kStream : RequestClass::kData;
}

// A path as a node reads it. Most have nothing to decode, and are not copied. Empty if a "%" starts no code.
class ReadPath {
 public:
  explicit ReadPath(std::string_view raw) : text_(raw) {
    if (raw.find('%') == std::string_view::npos) return;
    decoded_ = percent_decoded(raw).value_or(std::string());
    text_ = decoded_;
  }
  ReadPath(const ReadPath&) = delete;
  ReadPath& operator=(const ReadPath&) = delete;
  [[nodiscard]] std::string_view text() const { return text_; }

 private:
  std::string decoded_;
  std::string_view text_;
};

}  // namespace

RequestClass classify(std::string_view method, std::string_view path) {
  const ReadPath read(path);
  if (is_ui_file(method, path)) return RequestClass::kNodeLocal;
  if (!read.text().starts_with(kSystem)) return RequestClass::kData;
  return class_in_system(method, read.text().substr(kSystem.size()));
}

bool may_be_stream(std::string_view path) {
  const ReadPath read(path);
  if (!read.text().starts_with("/v1/")) return false;
  constexpr std::string_view kBelow = "/sys/";
  for (std::size_t at = read.text().find(kBelow, 1); at != std::string_view::npos;
       at = read.text().find(kBelow, at + 1)) {
    if (is_stream(read.text().substr(at + kBelow.size()))) return true;
  }
  return false;
}

std::string_view to_text(RequestClass request_class) {
  switch (request_class) {
    case RequestClass::kData:
      return "data";
    case RequestClass::kNodeLocal:
      return "node_local";
    case RequestClass::kBootstrap:
      return "bootstrap";
    case RequestClass::kStream:
      return "stream";
  }
  return "unknown";
}

cluster::Role role_to_bootstrap(std::string_view path) {
  return ReadPath(path).text() == "/v1/sys/init" ? cluster::Role::kUninitialized : cluster::Role::kSealed;
}

bool is_always_redirected(std::string_view path) {
  const ReadPath read(path);
  if (!read.text().starts_with(kSystem)) return false;
  const std::string_view name = read.text().substr(kSystem.size());
  return name == "storage/raft/snapshot" || name == "storage/raft/snapshot-force" ||
         (name.starts_with(kEvents) && is_stream(name));
}

}  // namespace bellwether::vault
