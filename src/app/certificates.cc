#include "certificates.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "file_stamp.h"
#include "log.h"

namespace bellwether::app {

namespace {

// Files that have changed are read once they have stayed the same for that long: whoever writes them may not be done.
constexpr Duration kSettle = 250ms;

std::string date_of(const std::optional<WallTime>& at) {
  if (!at) return "none";
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(*at)));
}

}  // namespace

Certificates::Certificates(net::Loop& loop, std::string use, std::vector<std::string> files, Make make)
    : use_(std::move(use)), files_(std::move(files)), make_(std::move(make)), timer_(loop, [this] { look(); }) {
  files_.erase(std::remove(files_.begin(), files_.end(), std::string()), files_.end());
}

Result<void> Certificates::load() {
  seen_ = tried_ = stamp_of(files_);
  auto made = make_();
  if (!made) return tl::unexpected(made.error());
  context_ = std::move(*made);
  counts_.not_after = context_->not_after();
  return {};
}

void Certificates::watch(Duration interval, OnNew on_new) {
  on_new_ = std::move(on_new);
  interval_ = interval;
  if (!files_.empty()) timer_.arm_in(interval_);
}

void Certificates::look() {
  const std::string now = stamp_of(files_);
  const bool is_settled = now == seen_;
  const bool is_due = now != tried_ || !refusal_.empty();
  seen_ = now;
  if (is_settled && is_due) replace();
  timer_.arm_in(is_settled ? interval_ : std::min(interval_, kSettle));
}

void Certificates::reload() {
  refusal_.clear();
  seen_ = stamp_of(files_);
  replace();
}

void Certificates::replace() {
  // Taken before the files are read: a change while they are is seen by the next look.
  tried_ = seen_;
  auto made = make_usable();
  if (!made) return refuse(made.error().message);
  if (auto taken = on_new_(*made); !taken) return refuse(taken.error().message);
  refusal_.clear();
  context_ = std::move(*made);
  counts_.not_after = context_->not_after();
  counts_.is_current = true;
  ++counts_.reloads;
  log::info(
      "certificates_reloaded",
      {{"for", use_}, {"files", fmt::format("{}", fmt::join(files_, ","))}, {"not_after", date_of(counts_.not_after)}});
}

// An expired certificate in place of a good one is a mistake that need not hurt anybody yet.
Result<Certificates::Context> Certificates::make_usable() const {
  auto made = make_();
  if (!made) return made;
  const auto ends = (*made)->not_after();
  const bool is_expired = ends && *ends <= std::chrono::system_clock::now();
  if (is_expired && context_->not_after() > ends) {
    return fail(ErrorKind::kInvalid,
                fmt::format("the certificate on disk expired on {}, before the one in use", date_of(ends)));
  }
  return made;
}

void Certificates::refuse(const std::string& why) {
  counts_.is_current = false;
  if (why == refusal_) return;
  refusal_ = why;
  ++counts_.failures;
  log::warn("certificates_not_reloaded", {{"for", use_},
                                          {"files", fmt::format("{}", fmt::join(files_, ","))},
                                          {"why", why},
                                          {"what_now", std::string("the old ones stay; the files are tried again")}});
}

}  // namespace bellwether::app
