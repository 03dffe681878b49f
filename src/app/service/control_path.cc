#include "control_path.h"

#include <dirent.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <utility>

namespace bellwether::app {

namespace {

constexpr std::string_view kEnd = ".sock";
constexpr std::size_t kMaxSockets = 256;

constexpr std::string_view kInOurDirectory = "control@";

struct Place {
  std::string directory;
  std::string_view prefix;  // of a socket's name
};

std::string directory_of(const char* variable) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? std::string() : std::string(text);
}

// The directory that systemd has made for the unit in which this process runs, if that is a unit of Bellwether.
std::string directory_of_unit() {
  const std::string all = directory_of("RUNTIME_DIRECTORY");
  const std::string first = all.substr(0, all.find(':'));
  const std::string_view name = std::string_view(first).substr(first.rfind('/') + 1);
  return name.starts_with("bellwether") ? first : std::string();
}

// Where a process of ours may have its control socket, the best place first.
std::vector<Place> places() {
  std::vector<Place> all;
  if (std::string unit = directory_of_unit(); !unit.empty()) all.push_back({std::move(unit), kInOurDirectory});
  all.push_back({"/run/bellwether", kInOurDirectory});
  if (std::string user = directory_of("XDG_RUNTIME_DIR"); !user.empty()) {
    all.push_back({std::move(user), "bellwether@"});
  }
  return all;
}

// The directories of the units bellwether@NAME.service.
void add_places_of_units(std::vector<Place>& all) {
  const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir("/run"), &::closedir);
  if (!open) return;
  while (const dirent* entry = ::readdir(open.get())) {
    const std::string_view name = entry->d_name;
    if (name.starts_with("bellwether@") && all.size() < kMaxSockets) {
      all.push_back({fmt::format("/run/{}", name), kInOurDirectory});
    }
  }
}

void add_sockets(const Place& place, std::vector<ControlSocket>& found) {
  const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(place.directory.c_str()), &::closedir);
  if (!open) return;
  while (const dirent* entry = ::readdir(open.get())) {
    const std::string_view name = entry->d_name;
    const bool is_one =
        name.starts_with(place.prefix) && name.ends_with(kEnd) && name.size() > place.prefix.size() + kEnd.size();
    if (!is_one || found.size() >= kMaxSockets) continue;
    const std::string_view instance = name.substr(place.prefix.size(), name.size() - place.prefix.size() - kEnd.size());
    found.push_back({fmt::format("{}/{}", place.directory, name), std::string(instance)});
  }
}

std::string_view port_of(std::string_view address) {
  return address.substr(std::min(address.rfind(':'), address.size()));
}

std::string_view without_scheme(std::string_view admin) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (admin.starts_with(scheme)) admin.remove_prefix(scheme.size());
  }
  if (admin.ends_with('/')) admin.remove_suffix(1);
  return admin;
}

std::string list_of(const std::vector<ControlSocket>& found) {
  std::string out;
  for (const ControlSocket& each : found)
    out += fmt::format("{}{} ({})", out.empty() ? "" : ", ", each.instance, each.path);
  return out;
}

}  // namespace

bool is_automatic(const std::string& configured) { return configured.empty() || configured == "auto"; }

std::optional<std::string> control_path_to_listen(const std::string& configured, const std::string& admin_address) {
  if (configured == "off") return std::nullopt;
  if (!is_automatic(configured)) return configured;
  const std::string instance = admin_address.empty() ? fmt::format("pid-{}", ::getpid()) : admin_address;
  for (const Place& place : places()) {
    if (::access(place.directory.c_str(), W_OK | X_OK) != 0) continue;
    return fmt::format("{}/{}{}{}", place.directory, place.prefix, instance, kEnd);
  }
  return std::nullopt;
}

std::vector<ControlSocket> control_sockets() {
  std::vector<ControlSocket> found;
  // What a unit orders (ExecReload) concerns its own process.
  if (const std::string unit = directory_of_unit(); !unit.empty()) {
    add_sockets({unit, kInOurDirectory}, found);
    if (!found.empty()) return found;
  }
  std::vector<Place> all = places();
  add_places_of_units(all);
  for (const Place& place : all) add_sockets(place, found);
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.instance < b.instance; });
  return found;
}

Result<std::string> choose_control(const std::vector<ControlSocket>& found, std::string_view admin) {
  if (found.empty()) {
    return fail(ErrorKind::kUnavailable,
                "no control socket found: is `bellwether run` running, as this user? --control names another place");
  }
  if (admin.empty()) {
    if (found.size() == 1) return found.front().path;
    return fail(ErrorKind::kInvalid,
                fmt::format("several instances run here: {}; which one? --admin ADDRESS or "
                            "BELLWETHER_ADMIN chooses one by its admin address, --control by its path",
                            list_of(found)));
  }
  const std::string_view wanted = without_scheme(admin);
  std::vector<ControlSocket> matching;
  for (const ControlSocket& each : found) {
    if (each.instance == wanted) return each.path;
    if (port_of(each.instance) == port_of(wanted) && !port_of(wanted).empty()) matching.push_back(each);
  }
  if (matching.size() == 1) return matching.front().path;
  return fail(ErrorKind::kUnavailable,
              fmt::format("no instance has the admin address {}; there are {}", admin, list_of(found)));
}

}  // namespace bellwether::app
