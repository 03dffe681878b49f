// A configuration file of any content ends in a configuration or in problems, each with its place.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "bellwether/config/load.h"

using namespace bellwether;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  config::Sources sources;
  sources.file = config::File{"bellwether.json", std::string(reinterpret_cast<const char*>(data), size)};
  const config::Loaded loaded = config::load(sources);
  for (const config::Problem& problem : loaded.problems) {
    if (problem.message.empty() || problem.line < 0) std::abort();
  }
  return 0;
}
