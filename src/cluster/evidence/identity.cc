#include "identity.h"

#include <algorithm>
#include <utility>

namespace bellwether::cluster {

ClusterIdentity::ClusterIdentity(const std::vector<NodeId>& nodes, std::string configured)
    : pinned_(std::move(configured)), is_configured_(!pinned_.empty()) {
  for (const NodeId node : nodes) said_.add(node);
}

bool ClusterIdentity::learn(NodeId node, const std::string& id) {
  if (!pinned_.empty() || id.empty()) return false;
  std::optional<std::string>& first = said_.at(node);
  if (first.has_value()) return false;
  first = id;
  if (!has_majority(id)) return false;
  pinned_ = id;
  return true;
}

bool ClusterIdentity::has_majority(const std::string& id) const {
  const auto votes = static_cast<std::size_t>(std::count(said_.begin(), said_.end(), id));
  return votes * 2 > said_.size();
}

bool ClusterIdentity::set_nodes(const NodeTable<std::optional<std::string>>& stated, bool kept) {
  const bool is_still_taught = std::find(stated.begin(), stated.end(), pinned_) != stated.end();
  said_.keep_if([&](NodeId node, const auto& /*id*/) { return stated.has(node); });
  for (const NodeId node : stated.ids()) {
    if (!said_.has(node)) said_.add(node);
  }
  if (!is_still_taught && !is_configured_ && !kept && !pinned_.empty()) {
    pinned_.clear();
    said_ = stated;
  }
  if (!pinned_.empty()) return false;
  for (const std::optional<std::string>& id : said_) {
    if (!id.has_value() || !has_majority(*id)) continue;
    pinned_ = *id;
    return true;
  }
  return false;
}

ClusterIdentity::Verdict ClusterIdentity::judge(const std::string& id, bool claims) const {
  if (!pinned_.empty()) {
    if (id.empty()) return claims ? Verdict::kForeign : Verdict::kOurs;
    return id == pinned_ ? Verdict::kOurs : Verdict::kForeign;
  }
  for (const std::optional<std::string>& other : said_) {
    if (other.has_value() && *other != id) return Verdict::kUndecided;
  }
  return Verdict::kOurs;
}

void ClusterIdentity::configure(const std::string& id) {
  forget();
  pinned_ = id;
  is_configured_ = !id.empty();
}

void ClusterIdentity::forget() {
  pinned_.clear();
  is_configured_ = false;
  std::fill(said_.begin(), said_.end(), std::nullopt);
}

}  // namespace bellwether::cluster
