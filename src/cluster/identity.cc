#include "identity.h"

#include <algorithm>
#include <utility>

namespace bellwether::cluster {

ClusterIdentity::ClusterIdentity(std::size_t nodes, std::string configured)
    : pinned_(std::move(configured)), said_(nodes) {}

bool ClusterIdentity::learn(NodeId node, const std::string& id) {
  if (!pinned_.empty() || id.empty()) return false;
  std::optional<std::string>& first = said_[node.index];
  if (first.has_value()) return false;
  first = id;
  const auto votes = static_cast<std::size_t>(std::count(said_.begin(), said_.end(), id));
  if (votes * 2 <= said_.size()) return false;
  pinned_ = id;
  return true;
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

void ClusterIdentity::forget() {
  pinned_.clear();
  std::fill(said_.begin(), said_.end(), std::nullopt);
}

}  // namespace bellwether::cluster
