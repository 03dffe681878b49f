#include "log_level_keeper.h"

#include <utility>

#include "app/process/log.h"

namespace bellwether::app {

LogLevelKeeper::LogLevelKeeper(net::Loop& loop, std::string configured)
    : loop_(loop), level_(std::move(configured)), timer_(loop, [this] { on_time_over(); }) {}

Result<void> LogLevelKeeper::order(std::string_view level, std::optional<Duration> lasts) {
  const std::string before = level_.present();
  if (auto ordered = level_.order(level, lasts, loop_.precise_now()); !ordered) return ordered;
  use(before, "the operator has ordered it");
  return {};
}

void LogLevelKeeper::configure(const std::string& level) {
  const std::string before = level_.present();
  level_.configure(level);
  timer_.arm_at(level_.until().value_or(kNever));
  if (level_.present() != before) use(before, "the configuration was reloaded");
}

admin::LogLevelState LogLevelKeeper::state() const { return {level_.present(), level_.configured(), level_.until()}; }

void LogLevelKeeper::on_time_over() {
  const std::string before = level_.present();
  level_.tick(loop_.precise_now());
  if (level_.present() == before && level_.until()) return timer_.arm_at(*level_.until());
  if (level_.present() != before) use(before, "the time of the operator's order is over");
}

void LogLevelKeeper::use(const std::string& before, std::string_view why) {
  timer_.arm_at(level_.until().value_or(kNever));
  const std::string& present = level_.present();
  const std::string lasts =
      level_.until() ? format_duration(*level_.until() - loop_.precise_now()) : std::string("until the next order");
  const auto tell = [&] {
    log::warn("log_level_changed", {{"level", present},
                                    {"before", before},
                                    {"configured", level_.configured()},
                                    {"lasts", lasts},
                                    {"why", std::string(why)}});
  };
  // The line is written while the level lets a warning through: one of the two does, if they differ.
  const bool hides_warnings = present == "error";
  if (hides_warnings) tell();
  log::set_level(present);
  if (!hides_warnings) tell();
}

}  // namespace bellwether::app
