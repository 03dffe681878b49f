#include "ask.h"
#include "commands.h"
#include "failovers_text.h"

namespace bellwether::app {

int failovers_command(const ReportOptions& options) {
  return print_report({"failovers", "/failovers", &failovers_text}, options);
}

}  // namespace bellwether::app
