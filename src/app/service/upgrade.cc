#include "upgrade.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <utility>

#include "app/process/log.h"

namespace bellwether::app {
namespace {

constexpr Duration kLookForEnd = 20ms;
// One that has closed its end of the line, and still runs, hangs.
constexpr Duration kLongestEnd = 2s;
constexpr Duration kReap = 100ms;

// Without it the new program begins anew, which is no reason against an upgrade.
void note_no_handover(const Error& error) { log::warn("handover_failed", {{"why", error.message}}); }

}  // namespace

Upgrade::Upgrade(net::Loop& loop)
    : loop_(loop),
      patience_timer_(loop, [this] { on_silence(); }),
      end_timer_(loop, [this] { look_for_end(); }),
      reap_timer_(loop, [this] { reap(); }) {}

Upgrade::~Upgrade() {
  if (run_) ::kill(run_->successor.pid, SIGKILL);
}

void Upgrade::begin(const std::string& program, Duration patience, HandOver hand_over, OnDone on_done) {
  if (run_) return on_done(fail(ErrorKind::kUnavailable, "another upgrade is under way"));
  auto own = net::own_command();
  if (!own) return on_done(tl::unexpected(own.error()));
  const auto file = net::check_program(program.empty() ? own->program : program);
  if (!file) return on_done(tl::unexpected(file.error()));
  auto handover = net::SharedText::create();
  auto written = handover ? handover->write(hand_over()) : tl::unexpected(handover.error());
  if (!written) note_no_handover(written.error());
  auto started = net::start_successor(*file, own->arguments, written ? &*handover : nullptr);
  if (!started) return on_done(tl::unexpected(started.error()));
  run_.emplace(Run{std::move(*started), *file, {}, std::move(hand_over), std::move(on_done)});
  if (written) run_->handover = std::move(*handover);
  patience_ = patience;
  patience_timer_.arm_in(patience);
  if (auto watched = watch_.open(loop_, run_->successor.word.fd(), *this); !watched) fail_with(watched.error().message);
}

void Upgrade::give_up(const std::string& why) {
  if (run_) fail_with(why);
}

void Upgrade::on_ready(net::Readiness) {
  char word = 0;
  const net::IoResult read = run_->successor.word.read({&word, 1});
  if (read.status == net::IoStatus::kAgain) return;
  watch_.close();
  if (read.status == net::IoStatus::kOk && word == net::kSuccessorIsReady) return let_go();
  hung_up_ = loop_.now();
  look_for_end();
}

// It reads what is handed over when the line to it ends.
void Upgrade::let_go() {
  if (run_->handover) {
    if (auto written = run_->handover->write(run_->hand_over()); !written) note_no_handover(written.error());
  }
  finish(run_->successor.pid);
}

void Upgrade::look_for_end() {
  std::string how;
  if (net::has_ended(run_->successor.pid, how)) {
    run_->successor.pid = 0;
    return fail_with(fmt::format("{} ended with {} before it was ready; its log says why", run_->program, how));
  }
  if (loop_.now() - hung_up_ >= kLongestEnd) return fail_with(fmt::format("{} gave up", run_->program));
  end_timer_.arm_in(kLookForEnd);
}

void Upgrade::on_silence() {
  fail_with(fmt::format("{} was not ready within {} (upgrade_timeout)", run_->program, format_duration(patience_)));
}

void Upgrade::fail_with(const std::string& why) {
  if (const pid_t child = std::exchange(run_->successor.pid, 0); child > 0) {
    ::kill(child, SIGKILL);
    unreaped_.push_back(child);
    reap_timer_.arm_in(kReap);
  }
  finish(fail(ErrorKind::kUnavailable, why + "; this process goes on"));
}

void Upgrade::finish(const Result<pid_t>& outcome) {
  patience_timer_.cancel();
  end_timer_.cancel();
  watch_.close();
  const OnDone on_done = std::move(run_->on_done);
  run_.reset();
  on_done(outcome);
}

void Upgrade::reap() {
  std::string how;
  unreaped_.erase(
      std::remove_if(unreaped_.begin(), unreaped_.end(), [&how](pid_t child) { return net::has_ended(child, how); }),
      unreaped_.end());
  if (!unreaped_.empty()) reap_timer_.arm_in(kReap);
}

}  // namespace bellwether::app
