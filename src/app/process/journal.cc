#include "journal.h"

#include <unistd.h>

#include "bellwether/net/supervisor.h"

namespace bellwether::app::log {

bool writes_to_journal() {
  static const bool is_journal = net::is_journal(STDERR_FILENO);  // it stays what it is
  return is_journal;
}

std::string_view line_prefix(Level level) {
  if (!writes_to_journal()) return "";
  switch (level) {
    case Level::kDebug:
      return "<7>";
    case Level::kInfo:
      return "<6>";
    case Level::kWarn:
      return "<4>";
    case Level::kError:
      return "<3>";
  }
  return "";
}

}  // namespace bellwether::app::log
