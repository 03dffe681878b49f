#include "reload.h"

#include <fmt/format.h>

#include <utility>

namespace bellwether::app {
namespace {

constexpr Duration kReadPatience = 3s;

// A text of a mebibyte may have a hundred thousand errors. The report is kept, logged and answered.
constexpr std::size_t kMaxTexts = 100;

std::vector<std::string> texts_of(const std::vector<config::Problem>& problems) {
  std::vector<std::string> texts;
  for (const config::Problem& each : problems) {
    if (texts.size() == kMaxTexts) {
      texts.push_back(fmt::format("{} more like these are left out", problems.size() - kMaxTexts));
      break;
    }
    texts.push_back(each.to_string());
  }
  return texts;
}

}  // namespace

Reload::Reload(net::Loop& loop, ReadConfig read, Apply apply, std::function<void()> on_begin, OnDone on_end)
    : loop_(loop),
      read_(std::move(read)),
      apply_(std::move(apply)),
      on_begin_(std::move(on_begin)),
      on_end_(std::move(on_end)),
      alive_(std::make_shared<Reload*>(this)),
      patience_(loop, [this] { refuse("the configuration file cannot be read: its file system does not answer"); }),
      background_(loop) {}

Reload::~Reload() = default;

void Reload::request(OnDone on_done) {
  waiting_.push_back(std::move(on_done));
  begin_next();
}

void Reload::try_out(std::optional<config::File> instead, OnDone on_done) {
  if (trials_.size() >= kMaxTrials)
    return on_done({.problems = {fmt::format("{} others wait for the same already: try again", kMaxTrials)}});
  trials_.push_back({Purpose::kTrial, std::move(instead), {std::move(on_done)}});
  begin_next();
}

void Reload::begin_next() {
  if (run_) return;
  if (!waiting_.empty()) {
    run_ = Run{Purpose::kUse, std::nullopt, std::exchange(waiting_, {})};
  } else if (!trials_.empty()) {
    run_ = std::move(trials_.front());
    trials_.pop_front();
  } else {
    return;
  }
  start();
}

void Reload::start() {
  hints_.clear();
  if (run_->purpose == Purpose::kUse) on_begin_();
  if (background_.is_busy())
    return refuse("the configuration file is still being read: its file system does not answer");
  patience_.arm_in(kReadPatience);
  background_.run([this, read = read_, instead = std::move(run_->instead)]() -> net::Background::Finish {
    return [this, result = std::make_shared<Result<config::Loaded>>(read(instead))] { on_read(*result); };
  });
}

void Reload::on_read(const Result<config::Loaded>& read) {
  if (!patience_.is_armed()) return;  // given up
  patience_.cancel();
  if (!read) return refuse(read.error().message);
  if (!read->problems.empty()) return finish({.problems = texts_of(read->problems)});
  hints_ = texts_of(read->hints);
  apply_(read->config, run_->purpose, [weak = std::weak_ptr(alive_)](const admin::ReloadReport& report) {
    if (const auto self = weak.lock()) (*self)->finish(report);
  });
}

bool Reload::run_alone(const Change& change) {
  if (run_) return false;
  hints_.clear();
  run_ = Run{Purpose::kOther, std::nullopt, {}};
  change([weak = std::weak_ptr(alive_)] {
    if (const auto self = weak.lock()) (*self)->finish({});
  });
  return true;
}

void Reload::refuse(std::string why) { finish({.problems = {std::move(why)}}); }

void Reload::finish(admin::ReloadReport report) {
  report.hints.insert(report.hints.begin(), hints_.begin(), hints_.end());
  const Run ended = *std::exchange(run_, std::nullopt);
  if (ended.purpose == Purpose::kUse) on_end_(report);
  // Those who asked meanwhile may have written to the file after it was read.
  for (const OnDone& on_done : ended.served) on_done(report);
  if (!waiting_.empty() || !trials_.empty()) begin_later();
}

void Reload::begin_later() {
  loop_.post([weak = std::weak_ptr(alive_)] {
    if (const auto self = weak.lock()) (*self)->begin_next();
  });
}

}  // namespace bellwether::app
