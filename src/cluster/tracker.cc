#include "bellwether/cluster/tracker.h"

#include <utility>

#include "rules.h"

namespace bellwether::cluster {

LeaderTracker::LeaderTracker(TrackerOptions options) : rules_(std::make_unique<Rules>(std::move(options))) {}
LeaderTracker::~LeaderTracker() = default;
LeaderTracker::LeaderTracker(LeaderTracker&&) noexcept = default;
LeaderTracker& LeaderTracker::operator=(LeaderTracker&&) noexcept = default;

Step LeaderTracker::start(TimePoint now) { return rules_->start(now); }
Step LeaderTracker::tick(TimePoint now) { return rules_->tick(now); }
Step LeaderTracker::on_answer(const ProbeAnswer& answer, TimePoint now) { return rules_->on_answer(answer, now); }
Step LeaderTracker::on_failure(ProbeId probe, ProbeFailure failure, TimePoint now, std::string cause) {
  return rules_->on_failure(probe, failure, std::move(cause), now);
}
Step LeaderTracker::on_same_server(NodeId node, std::optional<NodeId> other, const std::string& why, TimePoint now) {
  return rules_->on_same_server(node, other, why, now);
}
Step LeaderTracker::on_leader_statement(const LeaderStatement& statement, TimePoint now) {
  return rules_->on_leader_statement(statement, now);
}
Step LeaderTracker::on_hint(const Hint& hint, TimePoint now) { return rules_->on_hint(hint, now); }
Step LeaderTracker::on_live_answer(NodeId node, TimePoint request_sent, TimePoint now) {
  return rules_->on_live_answer(node, request_sent, now);
}
Step LeaderTracker::on_traffic(TimePoint now) { return rules_->on_traffic(now); }
Step LeaderTracker::on_claim_wanted(TimePoint since, TimePoint now) { return rules_->on_claim_wanted(since, now); }
Step LeaderTracker::on_exchanges_waiting(int waiting, bool any_completed, TimePoint now) {
  return rules_->on_exchanges_waiting(waiting, any_completed, now);
}
Step LeaderTracker::on_loop_late(Duration late, TimePoint now) { return rules_->on_loop_late(late, now); }
Result<Step> LeaderTracker::set_admin_state(NodeId node, AdminState state, bool force, TimePoint now) {
  return rules_->set_admin_state(node, state, force, now);
}
Step LeaderTracker::on_lost_syn(NodeId node, TimePoint now) { return rules_->on_lost_syn(node, now); }
Step LeaderTracker::repin(TimePoint now) { return rules_->repin(now); }
Step LeaderTracker::pause(Duration at_most, TimePoint now) { return rules_->pause(at_most, now); }
Step LeaderTracker::resume(TimePoint now) { return rules_->resume(now); }
const ViewPtr& LeaderTracker::view() const { return rules_->view(); }
ViewPtr LeaderTracker::snapshot(TimePoint now) const { return rules_->snapshot(now); }

}  // namespace bellwether::cluster
