#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bellwether/base/result.h"
#include "bellwether/cluster/view.h"
#include "bellwether/config/config.h"
#include "bellwether/net/loop.h"
#include "reload.h"

namespace bellwether::app {

// The wiring: resolver, prober, proxy, admin and the metrics that are collected from them, on one control loop.
// Built by `run` and by `dev`; it logs what happens and owns all of it.
class Service {
  struct Private {};

 public:
  // Starts listening and probing; on error nothing is left behind and the error names the cause.
  // `source`: for reload().
  [[nodiscard]] static Result<std::unique_ptr<Service>> start(net::Loop& control, const config::Config& config,
                                                              ConfigSource source = {});
  struct Impl;
  Service(Private, std::unique_ptr<Impl> impl);  // for start()
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  // First call: /readyz says 503, listeners stay open, and the loop is stopped once no session is left and
  // shutdown_delay has passed, or hard_stop_after has. Second call: the loop is stopped now.
  void terminate();
  // Reads the configuration again and takes over what can be changed while it runs; certificates, keys and CA files
  // are read now rather than at the next look. For SIGHUP. What comes of it is logged.
  void reload();

  [[nodiscard]] const cluster::ViewPtr& view() const;
  [[nodiscard]] std::vector<std::string> listen_addresses() const;  // with real ports
  [[nodiscard]] std::string admin_address() const;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace bellwether::app
