#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bellwether/admin/admin.h"
#include "bellwether/base/result.h"
#include "bellwether/config/load.h"
#include "bellwether/net/background.h"
#include "bellwether/net/loop.h"
#include "nodes.h"

namespace bellwether::app {

// The configuration as its file is now, with the environment and flags of the start. Called on any thread.
using ReadConfig = std::function<Result<config::Loaded>()>;

// Where a configuration came from.
struct ConfigSource {
  ReadConfig read{};   // none: there is nothing to read again
  std::string file{};  // to be watched; empty: there is none
};

// Takes a configuration to where it is used: reads it, on a thread of its own, for a file system may hang; asks for the
// nodes' names; hands both over. One at a time. Control thread.
class Reload {
 public:
  using OnDone = std::function<void(const admin::ReloadReport&)>;
  // Uses what has been read, or says why not.
  using Apply = std::function<void(const config::Config&, std::vector<ResolvedName>, OnDone)>;

  // `on_end`: told of each outcome once, before those who asked for it.
  Reload(net::Loop& loop, net::Resolver& resolver, ReadConfig read, Apply apply, OnDone on_end);
  ~Reload();
  Reload(const Reload&) = delete;
  Reload& operator=(const Reload&) = delete;

  // What has been written to the file before this is in what `on_done` is told of.
  void request(OnDone on_done);

 private:
  void begin();
  void on_read(const Result<config::Loaded>& read);
  void refuse(std::string why);
  void finish(admin::ReloadReport report);

  net::Loop& loop_;
  net::Resolver& resolver_;
  const ReadConfig read_;
  const Apply apply_;
  const OnDone on_end_;
  std::vector<OnDone> served_;   // by the reload under way
  std::vector<OnDone> waiting_;  // for the one after it
  std::vector<std::string> hints_;
  std::shared_ptr<Reload*> alive_;  // the resolver and the service may answer when we are gone
  net::Timer patience_;             // for the file
  net::Background background_;
};

}  // namespace bellwether::app
