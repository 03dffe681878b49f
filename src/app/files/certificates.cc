#include "certificates.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "bellwether/net/certificate.h"
#include "file_stamp.h"

namespace bellwether::app {

namespace {

// Files that have changed are read once they have stayed the same for that long: whoever writes them may not be done.
constexpr Duration kSettle = 250ms;
// A file system that takes longer hangs. At the start there is nothing to go on with.
constexpr Duration kHanging = 5s;
constexpr Duration kFirstPatience = 10s;

std::string date_of(const std::optional<WallTime>& at) {
  if (!at) return "none";
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(*at)));
}

// A certificate that has expired or is not valid yet, in place of a good one, is a mistake that need not hurt anybody
// yet.
Result<void> check_usable(const net::TlsContext& made, const net::TlsContext* in_use) {
  const WallTime now = std::chrono::system_clock::now();
  const auto problem = net::validity_problem(made, now);
  if (!problem || in_use == nullptr || net::validity_problem(*in_use, now)) return {};
  return fail(ErrorKind::kInvalid, fmt::format("the certificate on disk {}, and the one in use is valid", *problem));
}

}  // namespace

template <typename Work, typename Then>
void Certificates::in_background(Work work, Then then) {
  // `work` owns what it uses, for it may be left behind; `then` is dropped with us.
  background_.run([work = std::move(work), then = std::move(then)]() -> net::Background::Finish {
    return [found = work(), then] { then(found); };
  });
}

Certificates::Certificates(net::Loop& loop, std::string use, std::vector<std::string> files, Make make,
                           log::ClusterLog log)
    : use_(std::move(use)),
      log_(std::move(log)),
      files_(std::move(files)),
      make_(std::move(make)),
      loop_(loop),
      timer_(loop, [this] { look(); }),
      background_(loop) {
  files_.erase(std::remove(files_.begin(), files_.end(), std::string()), files_.end());
}

void Certificates::begin_load(std::function<void(const Loaded&)> then) {
  in_background([files = files_, make = make_] { return Loaded(stamp_of(files), make()); }, std::move(then));
}

void Certificates::take_over(const Loaded& loaded) {
  seen_ = tried_ = loaded.first;
  context_ = *loaded.second;
  counts_.not_after = context_->not_after();
}

Error Certificates::hangs() const {
  return Error{ErrorKind::kTimeout, fmt::format("{} could not be read within {}: does their file system hang?",
                                                fmt::join(files_, ", "), format_duration(kFirstPatience))};
}

void Certificates::load_later(Context before, std::function<void(Result<void>)> on_done) {
  const auto done = std::make_shared<std::function<void(Result<void>)>>(std::move(on_done));
  // Once: what comes after its time is dropped.
  const auto tell = [done](const Result<void>& outcome) {
    if (const auto callback = std::exchange(*done, nullptr)) callback(outcome);
  };
  patience_ = std::make_unique<net::Timer>(loop_, [this, tell] { tell(tl::unexpected(hangs())); });
  patience_->arm_in(kFirstPatience);
  begin_load([this, before = std::move(before), tell](const Loaded& loaded) {
    patience_->cancel();
    if (!loaded.second) return tell(tl::unexpected(loaded.second.error()));
    if (const auto usable = check_usable(**loaded.second, before.get()); !usable) return tell(usable);
    take_over(loaded);
    tell({});
  });
}

void Certificates::stop() {
  is_stopped_ = true;
  timer_.cancel();
}

void Certificates::count_on_from(const CertificateCounts& before) {
  counts_.reloads += before.reloads + 1;
  counts_.failures += before.failures;
}

void Certificates::watch(Duration interval, OnNew on_new) {
  on_new_ = std::move(on_new);
  interval_ = interval;
  if (!files_.empty()) timer_.arm_in(interval_);
}

void Certificates::set_interval(Duration interval) {
  if (interval == interval_) return;
  interval_ = interval;
  if (timer_.is_armed()) timer_.arm_in(interval_);
}

void Certificates::look() {
  timer_.arm_in(interval_);
  if (background_.is_busy()) return say_hanging();
  in_background([files = files_] { return stamp_of(files); }, [this](const Stamp& now) { on_stamp(now); });
}

void Certificates::on_stamp(const Stamp& now) {
  if (is_stopped_) return;
  const bool is_settled = now == seen_;
  const bool is_due = now != tried_ || !refusal_.empty();
  seen_ = now;
  timer_.arm_in(is_settled ? interval_ : std::min(interval_, kSettle));
  if (std::exchange(is_due_now_, false) || (is_settled && is_due)) replace();
}

void Certificates::reload() {
  refusal_.clear();
  is_due_now_ = true;
  if (!background_.is_busy()) look();
}

void Certificates::replace() {
  // Taken before the files are read: a change while they are is seen by the next look.
  tried_ = seen_;
  in_background(make_, [this](const Result<Context>& made) { on_made(made); });
}

void Certificates::on_made(const Result<Context>& made) {
  if (is_stopped_) return;
  if (is_due_now_) look();  // asked for while these were read
  const Result<void> usable = made ? check_usable(**made, context_.get()) : tl::unexpected(made.error());
  const Result<void> taken = usable.and_then([&] { return on_new_(*made); });
  if (!taken) return refuse(taken.error().message);
  refusal_.clear();
  context_ = *made;
  counts_.not_after = context_->not_after();
  counts_.is_current = true;
  ++counts_.reloads;
  log_.info(
      "certificates_reloaded",
      {{"for", use_}, {"files", fmt::format("{}", fmt::join(files_, ","))}, {"not_after", date_of(counts_.not_after)}});
}

void Certificates::say_hanging() {
  if (background_.running_for() < kHanging) return;
  refuse(fmt::format("the files could not be read within {}: does their file system hang?", format_duration(kHanging)));
}

void Certificates::refuse(const std::string& why) {
  counts_.is_current = false;
  if (why == refusal_) return;
  refusal_ = why;
  ++counts_.failures;
  log_.warn("certificates_not_reloaded", {{"for", use_},
                                          {"files", fmt::format("{}", fmt::join(files_, ","))},
                                          {"why", why},
                                          {"what_now", std::string("the old ones stay; the files are tried again")}});
}

}  // namespace bellwether::app
