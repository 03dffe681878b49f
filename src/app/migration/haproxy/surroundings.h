#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bellwether::app::migration {

// What an haproxy.cfg refers to and this room does not reach itself: the command looks it up, tests make it up. Each
// function may be empty; then nothing is found.
struct Surroundings {
  std::function<std::optional<std::string>(const std::string& name)> variable;
  std::function<std::optional<std::string>(const std::string& path)> read_file;  // nullopt: cannot be read
  // The names in a directory, in the order of the alphabet; nullopt: the path is no directory that can be read.
  std::function<std::optional<std::vector<std::string>>(const std::string& path)> list_directory;
};

template <typename Found, typename Name>
[[nodiscard]] std::optional<Found> look_up(const std::function<std::optional<Found>(const Name&)>& where,
                                           const std::string& name) {
  return where ? where(name) : std::nullopt;
}

}  // namespace bellwether::app::migration
