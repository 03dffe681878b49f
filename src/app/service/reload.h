#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bellwether/admin/admin.h"
#include "bellwether/base/result.h"
#include "bellwether/config/load.h"
#include "bellwether/net/background.h"
#include "bellwether/net/loop.h"

namespace bellwether::app {

// The configuration as its file is now, or as `instead` is, with the environment and flags of the start. Called on any
// thread.
using ReadConfig = std::function<Result<config::Loaded>(const std::optional<config::File>& instead)>;

// Where a configuration came from.
struct ConfigSource {
  ReadConfig read{};   // none: there is nothing to read again
  std::string file{};  // to be watched; empty: there is none
  // The command line that this process was started with leads to the same again: it may be replaced while it runs.
  bool is_repeatable = false;
};

// Takes a configuration to where it is used: reads it, on a thread of its own, for a file system may hang, and hands it
// over. One at a time. Control thread.
class Reload {
 public:
  // A trial goes the whole way of a reload and tells what that would change, but changes nothing. kOther: no reload,
  // but a change that none may overlap with.
  enum class Purpose : std::uint8_t { kUse, kTrial, kOther };
  static constexpr std::size_t kMaxTrials = 4;  // that wait

  using OnDone = std::function<void(const admin::ReloadReport&)>;
  // Uses what has been read, or says why not.
  using Apply = std::function<void(const config::Config&, Purpose, OnDone)>;
  using Change = std::function<void(std::function<void()> on_done)>;

  // `on_begin`: told of the begin of each reload. `on_end`: told of the outcome of each once, before those who asked
  // for it. Trials are no reloads.
  Reload(net::Loop& loop, ReadConfig read, Apply apply, std::function<void()> on_begin, OnDone on_end);
  ~Reload();
  Reload(const Reload&) = delete;
  Reload& operator=(const Reload&) = delete;

  // What has been written to the file before this is in what `on_done` is told of.
  void request(OnDone on_done);
  // A trial, of the file or of `instead`. Reloads that wait go before it; beyond kMaxTrials it is refused.
  void try_out(std::optional<config::File> instead, OnDone on_done);
  // Runs `change` now, and nothing else until it is done. False: something else is under way, it is not run.
  [[nodiscard]] bool run_alone(const Change& change);

 private:
  struct Run {
    Purpose purpose = Purpose::kUse;
    std::optional<config::File> instead;
    std::vector<OnDone> served;
  };

  void begin_next();
  void begin_later();
  void start();
  void on_read(const Result<config::Loaded>& read);
  void refuse(std::string why);
  void finish(admin::ReloadReport report);

  net::Loop& loop_;
  const ReadConfig read_;
  const Apply apply_;
  const std::function<void()> on_begin_;
  const OnDone on_end_;
  std::optional<Run> run_;       // under way
  std::vector<OnDone> waiting_;  // for the next reload: one serves all of them
  std::deque<Run> trials_;       // that wait
  std::vector<std::string> hints_;
  std::shared_ptr<Reload*> alive_;  // the service may answer when we are gone
  net::Timer patience_;             // for the file
  net::Background background_;
};

}  // namespace bellwether::app
