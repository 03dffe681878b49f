#include "predecessor.h"

#include <string>
#include <utility>

#include "app/process/log.h"
#include "bellwether/net/inherited.h"

namespace bellwether::app {

Predecessor::Predecessor(net::Loop& loop) : loop_(loop) {
  if (is_there()) first_ = read();
}

bool Predecessor::is_there() const { return net::InheritedSockets::process().has_predecessor(); }

const ClusterHandover* Predecessor::knowledge_of(std::string_view cluster) const {
  return first_ ? first_->find(cluster) : nullptr;
}

std::optional<Handover> Predecessor::read() const {
  const auto refuse = [](const std::string& why) {
    log::warn("handover_refused", {{"why", why + ": epochs, counters and the history of failovers begin anew"}});
    return std::nullopt;
  };
  const auto found = net::InheritedSockets::process().handover(kMaxHandover);
  if (!found) return refuse(found.error().message);
  if (!*found) {
    log::info("handover_absent", {{"why", std::string("the program before hands over no epochs, counters and history "
                                                      "of failovers: they begin anew")}});
    return std::nullopt;
  }
  auto handover = parse_handover((*found)->text, loop_.precise_now());
  if (!handover) return refuse(handover.error().message);
  // An older version between has left it, and that process is not the one that serves now.
  if (handover->process != (*found)->pid) return refuse("another process has written it");
  return *std::move(handover);
}

void Predecessor::say_ready(OnHandover on_handover) {
  line_ = net::InheritedSockets::process().say_ready();
  if (!first_) return line_.close();
  on_handover_ = std::move(on_handover);
  if (!watch_.open(loop_, line_.fd(), *this)) line_.close();
}

void Predecessor::on_ready(net::Readiness) {
  char unexpected = 0;
  if (line_.read({&unexpected, 1}).status == net::IoStatus::kAgain) return;
  watch_.close();
  line_.close();
  if (const auto last = read()) on_handover_(*last);
}

}  // namespace bellwether::app
