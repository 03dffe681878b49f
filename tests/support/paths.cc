#include "paths.h"

// The only source that is compiled with the checkout's path: a compiler cache serves all others to every checkout.
namespace bellwether::testing {

const std::string& source_dir() {
  static const std::string kDir = BELLWETHER_SOURCE_DIR;
  return kDir;
}

std::string cert_path(const std::string& file) { return std::string(BELLWETHER_TEST_CERTS "/") + file; }

}  // namespace bellwether::testing
