#include "control_reports.h"

namespace bellwether::proxy {
namespace {

constexpr Duration kNoteTrafficEvery = 1s;
// Many sessions fail at once; one hint says it.
constexpr Duration kSameHint = 10ms;

}  // namespace

void ControlReports::hint(NodeId node, Epoch epoch, cluster::HintKind kind, TimePoint now) {
  const bool is_same = last_hint_.node == node && last_hint_.epoch == epoch && last_hint_.kind == kind;
  if (is_same && now - last_hint_.at < kSameHint) return;
  last_hint_ = {node, epoch, kind, now};
  if (callbacks_.on_hint) callbacks_.on_hint({node, epoch, kind});
}

void ControlReports::say_success(Epoch epoch) {
  succeeded_epoch_ = epoch;
  if (callbacks_.on_first_success) callbacks_.on_first_success(epoch);
}

void ControlReports::note_traffic(const cluster::View* view, TimePoint now) {
  const bool is_asked_for = view != nullptr && view->idle && view->serial != idle_serial_noted_;
  if (!is_asked_for && now - traffic_noted_ < kNoteTrafficEvery) return;
  traffic_noted_ = now;
  if (is_asked_for) idle_serial_noted_ = view->serial;
  if (callbacks_.on_traffic) callbacks_.on_traffic();
}

}  // namespace bellwether::proxy
