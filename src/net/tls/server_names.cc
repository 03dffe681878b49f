#include "server_names.h"

#include "bellwether/base/text.h"

namespace bellwether::net {
namespace {

std::string canonical(std::string_view name) {
  if (!name.empty() && name.back() == '.') name.remove_suffix(1);
  return lower_ascii(name);
}

}  // namespace

std::size_t ServerNames::add(std::size_t certificate, const std::vector<std::string>& names) {
  std::size_t added = 0;
  for (const std::string& each : names) added += by_name_.emplace(canonical(each), certificate).second ? 1 : 0;
  return added;
}

std::optional<std::size_t> ServerNames::find(std::string_view asked) const {
  const std::string name = canonical(asked);
  // A "*" in the question is no name that a client may ask for.
  if (name.empty() || name.front() == '*') return std::nullopt;
  if (const auto same = by_name_.find(name); same != by_name_.end()) return same->second;
  const std::size_t dot = name.find('.');
  if (dot == 0 || dot == std::string::npos) return std::nullopt;
  const auto any = by_name_.find("*" + name.substr(dot));
  return any == by_name_.end() ? std::nullopt : std::optional(any->second);
}

std::size_t ServerNames::owner_of(const std::string& name) const { return by_name_.at(canonical(name)); }

}  // namespace bellwether::net
