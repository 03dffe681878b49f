#pragma once

#include <cstdint>
#include <string_view>

#include "bellwether/cluster/observation.h"
#include "bellwether/http/head.h"

namespace bellwether::vault {

// What a request may have changed before a node refuses it: whether a refusal is proof depends on it (FACTS.md 3).
enum class Effect : std::uint8_t {
  kStorage,  // only the cluster's storage, which takes no write from a node that does not lead
  kOutside,  // perhaps more: a call to another system, a credential for one use, the memory of the node
  kByMount,  // as the mount does that the path leads to, and of which the path does not tell the type
};

// `path` is undecoded and without query; `sent` is the head as the node gets it. In doubt kOutside. A path that begins
// with a namespace is kByMount: no path tells a namespace from a mount.
[[nodiscard]] Effect effect_of(std::string_view path, const http::RequestHead& sent);
[[nodiscard]] bool carries_token(const http::RequestHead& head);

// Whether an answer shows that something was written, which only a leader can do: the answer of the kv engine, version
// 2, to a new version. `body`: as much of it as is there. In doubt false: nodes that do not lead answer whatever writes
// nothing, by any method.
[[nodiscard]] bool is_sure_write(std::string_view method, std::string_view path, int status, std::string_view body);

// What a node that does not lead does with a request that it was forbidden to forward.
enum class StandbyConduct : std::uint8_t {
  kUnknown,
  kRefusesFirst,  // refuses it before it looks at it: Vault, OpenBao up to 2.4 (V:http/handler.go)
  kActsFirst,     // carries it out up to the first write to storage: OpenBao 2.5 and later (B:http/logical.go)
};
// By product and version, as the node states them in its health.
[[nodiscard]] StandbyConduct conduct_of(const cluster::HealthFacts& facts);

}  // namespace bellwether::vault
