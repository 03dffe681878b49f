#include "bellwether/base/assert.h"
#include "bellwether/proxy/proxy.h"

namespace bellwether::proxy {

std::string_view to_text(Outcome outcome) {
  switch (outcome) {
    case Outcome::kOk:
      return "ok";
    case Outcome::kAmbiguous:
      return "ambiguous";
    case Outcome::kUnserved:
      return "unserved";
    case Outcome::kCut:
      return "cut";
    case Outcome::kClientGone:
      return "client_gone";
    case Outcome::kRejected:
      return "rejected";
  }
  BW_ASSERT(!"an outcome without a name");
}

bool is_failure(Outcome outcome) {
  return outcome == Outcome::kAmbiguous || outcome == Outcome::kUnserved || outcome == Outcome::kCut;
}

}  // namespace bellwether::proxy
