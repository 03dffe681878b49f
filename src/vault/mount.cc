#include "bellwether/vault/mount.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "bellwether/base/percent.h"
#include "bellwether/base/text.h"
#include "bellwether/http/serialize.h"
#include "bellwether/http/target.h"
#include "json.h"
#include "system_path.h"

namespace bellwether::vault {
namespace {

constexpr std::string_view kRoot = "/v1/";

// What says who asks, and what a listener demands of every request. A node reads no other header for this path.
constexpr std::array<std::string_view, 6> kPassedOn = {"X-Vault-Token",     "Authorization",
                                                       "X-Vault-Namespace", "X-Vault-Request",
                                                       "X-Forwarded-For",   "X-Vault-No-Request-Forwarding"};

// Engines that keep all they do in the cluster's storage (FACTS.md 3). Caches of it, as transit's, do not count.
constexpr std::array<std::string_view, 8> kStorageEngines = {"kv",  "generic", "cubbyhole", "transit",
                                                             "pki", "ssh",     "token",     "ns_token"};

bool is_passed_on(std::string_view name) {
  return std::any_of(kPassedOn.begin(), kPassedOn.end(),
                     [name](std::string_view each) { return equals_ignoring_case(each, name); });
}

// `path` below the API's root, decoded; empty if it is none.
std::string below_root(std::string_view path) {
  auto decoded = percent_decoded(path);
  if (!decoded || !decoded->starts_with(kRoot)) return {};
  return decoded->substr(kRoot.size());
}

bool leads_to(const Mount& mount, std::string_view path) { return path.starts_with(mount.path); }

}  // namespace

std::string mount_request(const http::RequestHead& sent) {
  const std::string_view path = http::path_of(sent.target);
  if (!path.starts_with(kRoot) || path.size() == kRoot.size()) return {};
  http::Request request;
  request.target = "/v1/sys/internal/ui/mounts/" + std::string(path.substr(kRoot.size()));
  request.host = sent.host;
  for (const http::Header& header : sent.headers) {
    if (is_passed_on(header.name)) request.headers.push_back({std::string(header.name), std::string(header.value)});
  }
  return http::serialize(request);
}

std::optional<Mount> parse_mount(int status, std::string_view body) {
  constexpr std::size_t kMaxPath = 250;  // text_at() shortens what is longer
  if (status != 200) return std::nullopt;
  const nlohmann::json answer = parse_json(body);
  if (!answer.is_object() || !answer.contains("data")) return std::nullopt;
  const nlohmann::json& data = answer["data"];
  Mount mount;
  mount.path = text_at(data, "path");
  mount.type = text_at(data, "type");
  if (mount.path.size() < 2 || mount.path.back() != '/' || mount.path.size() > kMaxPath || mount.type.empty()) {
    return std::nullopt;
  }
  // A plugin from the catalog has a checksum; a node that states none at all is of before there was one (Vault 1.12).
  mount.is_built_in = data.contains("running_sha256") && text_at(data, "running_sha256").empty();
  return mount;
}

Effect effect_in(const Mount& mount, std::string_view path) {
  const std::string below = below_root(path);
  if (!mount.is_built_in || !leads_to(mount, below)) return Effect::kOutside;
  const std::string_view rest = std::string_view(below).substr(mount.path.size());
  if (mount.type == "system" || mount.type == "ns_system") return effect_in_system(rest);
  if (mount.type == "identity" || mount.type == "ns_identity") return effect_in_identity(rest);
  const bool is_storage =
      std::find(kStorageEngines.begin(), kStorageEngines.end(), mount.type) != kStorageEngines.end();
  return is_storage ? Effect::kStorage : Effect::kOutside;
}

void MountTable::remember(std::string_view namespace_header, Mount mount, TimePoint now) {
  entries_.erase(std::remove_if(entries_.begin(), entries_.end(),
                                [&](const Entry& entry) {
                                  const bool is_same =
                                      entry.namespace_header == namespace_header && entry.mount.path == mount.path;
                                  return is_same || now - entry.learned >= kMaxAge;
                                }),
                 entries_.end());
  if (entries_.size() >= kMaxMounts) entries_.erase(entries_.begin());
  entries_.push_back({std::string(namespace_header), std::move(mount), now});
}

std::optional<Effect> MountTable::effect_of(std::string_view namespace_header, std::string_view path,
                                            TimePoint now) const {
  if (entries_.empty()) return std::nullopt;
  const std::string below = below_root(path);
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return now - entry.learned < kMaxAge && entry.namespace_header == namespace_header && leads_to(entry.mount, below);
  });
  return found == entries_.end() ? std::nullopt : std::optional(effect_in(found->mount, path));
}

}  // namespace bellwether::vault
