#include "dialling.h"

#include <utility>

#include "proxy/core/worker_core.h"

namespace bellwether::proxy {
namespace {

// A failed dial is repeated when a newer view names a target. Where the view stays as it is, because the node answers
// its probes all the same, it is repeated after that long.
constexpr Duration kRetrySameView = 1s;

}  // namespace

bool Dialling::hold(WorkerCore& worker) {
  auto place = HoldPlace::take(worker, 0, !was_held_);
  if (!place) return false;
  hold_place_ = std::move(*place);
  was_held_ = true;
  return true;
}

void Dialling::begin(WorkerCore& worker) {
  serial_ = worker.view()->serial;
  begun_at_ = worker.now();
  has_failed_ = false;
  place_ = worker.dials().place();
}

void Dialling::end(TimePoint now) {
  place_.reset();
  connecting_ += now - begun_at_;
}

bool Dialling::may_begin(const WorkerCore& worker) const {
  return !has_failed_ || worker.view()->serial != serial_ || worker.now() - begun_at_ >= kRetrySameView;
}

void Dialling::await_answer(WorkerCore& worker) { place_ = worker.dials().place(); }

}  // namespace bellwether::proxy
