#include "dev_director.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace bellwether::app {
namespace {

constexpr Duration kLook = 5ms;
constexpr Duration kPatience = 30s;
constexpr Duration kAfterwards = 500ms;  // clients are counted for that much longer
constexpr Duration kFirst = 2s;          // how soon the first failover comes, at most

struct Kind {
  const char* fault;
  const char* text;
  Duration argument;  // when the node comes back
};
constexpr std::array<Kind, 4> kKinds = {{{"step-down", "step-down of n{}", 0s},
                                         {"crash", "crash of n{}", 4s},
                                         {"seal", "seal of n{}", 4s},
                                         {"hang", "freeze of n{}", 5s}}};

std::string clients_text(const DevClient::Tally& tally) {
  std::string text = fmt::format("clients: {} ok, {} failed, longest wait {:.0f} ms", tally.ok, tally.failed,
                                 to_millis(tally.longest));
  if (!tally.first_failure.empty()) text += fmt::format(" (first failure: {})", tally.first_failure);
  return text;
}

}  // namespace

DevDirector::DevDirector(net::Loop& loop, DevClient& client, Hooks hooks, Duration every, int most)
    : loop_(loop),
      client_(client),
      hooks_(std::move(hooks)),
      every_(every),
      most_(most),
      begin_(loop, [this] { begin(); }),
      watch_(loop, [this] { watch(); }) {
  if (every_ > Duration{}) begin_.arm_in(most_ > 0 ? std::min(every_, kFirst) : every_);
  watch_.arm_in(kLook);
}

void DevDirector::begin() {
  const cluster::ViewPtr view = hooks_.view();
  if (running_ || !view || !view->leader || client_.last_good_sent() == TimePoint{}) {
    begin_.arm_in(200ms);  // not yet in a state that a failover would say anything about
    return;
  }
  const Kind& kind = kKinds[static_cast<std::size_t>(made_) % kKinds.size()];
  const int leader = static_cast<int>(view->leader->number);  // the simulated cluster's node: these nodes stay
  running_ = Failover{fmt::format(fmt::runtime(kind.text), leader + 1), view->epoch, loop_.precise_now(), kNever};
  static_cast<void>(client_.take_tally());
  hooks_.inject(leader, kind.fault, kind.argument);
}

void DevDirector::watch() {
  watch_.arm_in(kLook);
  const cluster::ViewPtr view = hooks_.view();
  if (!view) return;
  if (!running_ && view->epoch != epoch_ && epoch_ > 0) {
    running_ = Failover{"", epoch_, loop_.precise_now(), loop_.precise_now()};
  }
  if (!running_) {
    epoch_ = view->epoch;
    return;
  }
  if (running_->routed == kNever && view->epoch > running_->epoch && view->target()) {
    running_->routed = loop_.precise_now();
  }
  if (running_->routed != kNever && client_.last_good_sent() >= running_->routed + kAfterwards) {
    finish(*view);
  } else if (loop_.precise_now() - running_->started > kPatience) {
    give_up();
  }
}

void DevDirector::finish(const cluster::View& view) {
  const std::string leader = view.leader ? std::string(view.name(*view.leader)) : "nobody";
  const std::string clients = clients_text(client_.take_tally());
  if (running_->text.empty()) {
    hooks_.say(fmt::format("{} leads now; {}", leader, clients));
  } else {
    hooks_.say(fmt::format("{}: {} leads after {:.0f} ms; {}", running_->text, leader,
                           to_millis(running_->routed - running_->started), clients));
  }
  epoch_ = view.epoch;
  next();
}

void DevDirector::give_up() {
  ++failures_;
  hooks_.say(fmt::format("{}: no client got through within {:.0f} s; {}", running_->text, to_seconds(kPatience),
                         clients_text(client_.take_tally())));
  next();
}

void DevDirector::on_refused(const std::string& reason) {
  if (!running_) return;
  hooks_.say(fmt::format("{} was refused: {}", running_->text, reason));
  running_.reset();
  begin_.arm_in(1s);
}

void DevDirector::next() {
  const bool ours = !running_->text.empty();
  running_.reset();
  if (!ours) return;
  if (++made_ == most_) {
    watch_.cancel();
    hooks_.done();
  } else {
    begin_.arm_in(every_);
  }
}

}  // namespace bellwether::app
