#include <dirent.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "app/migration/import.h"
#include "app/migration/writer.h"
#include "bellwether/base/visible.h"
#include "commands.h"
#include "read_text.h"
#include "write_text.h"

namespace bellwether::app {
namespace {

using migration::Import;
using migration::Surroundings;

constexpr std::size_t kMaxNames = 10'000;  // in a directory

std::optional<std::vector<std::string>> list_directory(const std::string& path) {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir(path.c_str()), &closedir);
  if (!folder) return std::nullopt;
  std::vector<std::string> names;
  while (names.size() < kMaxNames) {
    const dirent* entry = readdir(folder.get());  // NOLINT(concurrency-mt-unsafe): this process has one thread
    if (entry == nullptr) break;
    if (entry->d_name[0] != '.' && entry->d_type != DT_DIR) names.emplace_back(entry->d_name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

Surroundings this_machine() {
  Surroundings surroundings;
  surroundings.variable = [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
  surroundings.read_file = [](const std::string& path) -> std::optional<std::string> {
    const Result<std::string> text = read_text(path, migration::kMaxFileBytes, "a file named in an haproxy.cfg");
    return text ? std::optional(*text) : std::nullopt;
  };
  surroundings.list_directory = list_directory;
  return surroundings;
}

// How the old file is called in comments and findings.
std::string short_name(const std::string& file) {
  if (file == "-") return "stdin";
  return file.substr(file.rfind('/') + 1);  // npos + 1 is 0
}

int failed(const std::string& message) {
  fmt::print(stderr, "bellwether import-haproxy: {}\n", message);
  return kExitFailed;
}

}  // namespace

int import_haproxy_command(const ImportOptions& options) {
  const auto text = read_text(options.file, migration::kMaxFileBytes, "an haproxy.cfg");
  if (!text) return failed(for_people(text.error().message));
  const std::string name = short_name(options.file);
  const Import made = migration::import_haproxy(*text, name, options.names, this_machine());
  for (const std::string& each : made.problems) fmt::print(stderr, "{}\n", each);
  if (!made.problems.empty()) return failed("the file cannot be imported; `haproxy -c -f FILE` checks it too");
  if (!made.choice.empty()) {
    fmt::print(stderr, "{}\n", made.choice);
    return kExitUsage;
  }
  const std::string configuration = migration::write_configuration(made.plan, name);
  if (options.out.empty()) {
    fmt::print("{}", configuration);
  } else if (auto written = write_text(options.out, configuration, options.force); !written) {
    return failed(written.error().message);
  }
  for (const migration::Finding& each : made.plan.findings) {
    fmt::print(stderr, "{}\n", migration::finding_text(each, name));
  }
  return options.strict && made.loses() ? kExitDiffers : kExitFine;
}

}  // namespace bellwether::app
