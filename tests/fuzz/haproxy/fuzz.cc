// An haproxy.cfg of any content ends in problems or in a configuration that the program reads, with its nodes.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "app/migration/import.h"
#include "app/migration/writer.h"
#include "bellwether/config/load.h"

using namespace bellwether;

namespace {

app::migration::Surroundings surroundings() {
  app::migration::Surroundings made;
  made.variable = [](const std::string& name) { return name.size() < 3 ? std::optional("$" + name) : std::nullopt; };
  made.read_file = [](const std::string& path) { return path.size() % 2 == 0 ? std::optional(path) : std::nullopt; };
  made.list_directory = [](const std::string& path) {
    return path.size() % 3 == 0 ? std::optional<std::vector<std::string>>({path, "b.pem", "b.pem.key"}) : std::nullopt;
  };
  return made;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto made = app::migration::import_haproxy(text, "haproxy.cfg", {}, surroundings());
  if (!made.is_fine()) return 0;
  for (const auto& each : made.plan.findings) {
    if (app::migration::finding_text(each, "haproxy.cfg").find('\n') != std::string::npos) std::abort();
  }
  config::Sources sources;
  sources.file = config::File{"bellwether.json", write_configuration(made.plan, "haproxy.cfg")};
  if (config::load(sources).config.nodes.empty()) std::abort();
  return 0;
}
