#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "bellwether/base/prng.h"
#include "bellwether/base/time.h"
#include "bellwether/http/serialize.h"
#include "request.h"

namespace bellwether::sim {

// What a node may say of itself in sys/health beyond active, standby and sealed (src/vault/FACTS.md 1).
enum class Stated : std::uint8_t {
  kItself,
  kUninitialized,
  kRemoved,
  kDisconnected,
  kDrSecondary,
  kPerformanceStandby
};

// All that a node's answers about itself depend on.
struct NodeFacts {
  bool openbao = true;
  bool active = false;
  bool sealed = false;
  Stated stated = Stated::kItself;
  std::string cluster_name;
  std::string cluster_id;
  std::string leader_url;  // as this node knows it; empty: none
  std::string leader_cluster_url;
  std::string own_url;
  std::string node_id;
  WallTime active_since{};  // of this node, if active
  WallTime now{};
  std::uint64_t index = 0;  // of the raft log
};

// The answers that a node gives about itself, field by field as OpenBao 2.6 and Vault 1.21 do.
[[nodiscard]] http::Response health_answer(const NodeFacts& facts, const Request& request);
[[nodiscard]] http::Response leader_answer(const NodeFacts& facts);
[[nodiscard]] http::Response seal_status_answer(const NodeFacts& facts);

[[nodiscard]] http::Response json_answer(int status, const nlohmann::json& body);
[[nodiscard]] http::Response empty_answer(int status);
[[nodiscard]] http::Response errors_answer(int status, const std::vector<std::string>& errors);
// The frame that Vault puts around the data of most answers.
[[nodiscard]] http::Response data_answer(int status, nlohmann::json data, Prng& prng);
[[nodiscard]] std::string random_uuid(Prng& prng);

// GET auth/token/lookup-self, sys/mounts and sys/internal/ui/mounts/...: what the command-line clients ask first.
[[nodiscard]] http::Response token_answer(std::string_view token, WallTime since, Prng& prng);
[[nodiscard]] http::Response mounts_answer(Prng& prng);
[[nodiscard]] http::Response ui_mount_answer(std::string_view path, Prng& prng);

}  // namespace bellwether::sim
