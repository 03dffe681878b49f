#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/process/log.h"
#include "bellwether/base/result.h"
#include "bellwether/base/time.h"
#include "bellwether/net/background.h"
#include "bellwether/net/loop.h"
#include "bellwether/net/tls.h"

namespace bellwether::app {

// What the metrics tell of one side's certificates.
struct CertificateCounts {
  std::optional<WallTime> not_after;  // of our own one
  std::uint64_t reloads = 0;
  std::uint64_t failures = 0;  // each is counted, and logged, once
  bool is_current = true;      // what is on disk is what is used
};

// One TLS context and the files that it is made from: made at the start, and anew when they have changed. While what
// is on disk cannot be used (half of a pair is there, say), the old one stays and the files are tried again. Used on
// the control thread; the files are looked at and read on a thread of its own, for a file system may hang.
class Certificates {
 public:
  using Context = std::shared_ptr<net::TlsContext>;
  using Make = std::function<Result<Context>()>;
  using OnNew = std::function<Result<void>(const Context&)>;

  // `use`: "nodes" or "clients", for the log. Empty names in `files` are left out.
  Certificates(net::Loop& loop, std::string use, std::vector<std::string> files, Make make, log::ClusterLog log = {});
  Certificates(const Certificates&) = delete;
  Certificates& operator=(const Certificates&) = delete;

  // The first time: calls back in a later turn, after kFirstPatience at the latest, unless this is destroyed before.
  // The error names the file. It is one as well if what is read is not valid now and `before`, if any, is.
  void load_later(Context before, std::function<void(Result<void>)> on_done);
  // From now on looks at the files every `interval` and hands over what it makes of changed ones.
  void watch(Duration interval, OnNew on_new);
  // From now on, if it looks at them.
  void set_interval(Duration interval);
  // As soon as the files can be read, whatever they look like.
  void reload();

  [[nodiscard]] const Context& context() const { return context_; }
  [[nodiscard]] const CertificateCounts& counts() const { return counts_; }
  // Looks no more and hands nothing over, not even what is being read.
  void stop();
  // It takes the place of another one that has counted so far.
  void count_on_from(const CertificateCounts& before);
  // To destroy it now would wait for that.
  [[nodiscard]] bool is_reading() const { return background_.is_busy(); }

 private:
  using Stamp = std::string;
  using Loaded = std::pair<Stamp, Result<Context>>;

  void begin_load(std::function<void(const Loaded&)> then);
  void take_over(const Loaded& loaded);
  [[nodiscard]] Error hangs() const;
  void look();
  void on_stamp(const Stamp& now);
  void replace();
  void on_made(const Result<Context>& made);
  void say_hanging();
  // Runs `work` on the other thread, then `then` with what it returned.
  template <typename Work, typename Then>
  void in_background(Work work, Then then);
  void refuse(const std::string& why);

  const std::string use_;
  const log::ClusterLog log_;
  std::vector<std::string> files_;
  const Make make_;
  OnNew on_new_;
  Context context_;
  CertificateCounts counts_;
  Stamp seen_;           // the files' stamp at the last look
  Stamp tried_;          // ... when they were last read
  std::string refusal_;  // why they could not be used then; empty: they are
  Duration interval_{};
  bool is_due_now_ = false;  // whatever the stamp says
  bool is_stopped_ = false;
  net::Loop& loop_;
  net::Timer timer_;
  std::unique_ptr<net::Timer> patience_;  // of load_later()
  net::Background background_;
};

}  // namespace bellwether::app
