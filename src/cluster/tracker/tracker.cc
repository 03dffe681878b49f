#include "bellwether/cluster/tracker.h"

#include <utility>

#include "rules.h"

namespace bellwether::cluster {

LeaderTracker::LeaderTracker(TrackerOptions options) : rules_(std::make_unique<Rules>(std::move(options))) {}
LeaderTracker::~LeaderTracker() = default;
LeaderTracker::LeaderTracker(LeaderTracker&&) noexcept = default;
LeaderTracker& LeaderTracker::operator=(LeaderTracker&&) noexcept = default;

Step LeaderTracker::apply(const Input& input, TimePoint now) { return rules_->apply(input, now); }
const ViewPtr& LeaderTracker::view() const { return rules_->view(); }
ViewPtr LeaderTracker::snapshot(TimePoint now) const { return rules_->snapshot(now); }

}  // namespace bellwether::cluster
