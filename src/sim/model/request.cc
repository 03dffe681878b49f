#include "request.h"

#include "bellwether/base/percent.h"
#include "bellwether/base/text.h"

namespace bellwether::sim {

std::string percent_decoded(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const std::optional<char> code = percent_code(text);
    result += code.value_or(text[0]);
    text.remove_prefix(code ? kPercentCodeBytes : 1);
  }
  return result;
}

std::optional<std::string_view> Request::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (equals_ignoring_case(key, name)) return value;
  }
  return std::nullopt;
}

std::string_view Request::path() const { return std::string_view(target).substr(0, target.find('?')); }

std::optional<std::string> Request::parameter(std::string_view name) const {
  const std::size_t mark = target.find('?');
  if (mark == std::string::npos) return std::nullopt;
  std::string_view rest = std::string_view(target).substr(mark + 1);
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(pair.size() == rest.size() ? pair.size() : pair.size() + 1);
    const std::size_t equals = pair.find('=');
    if (pair.substr(0, equals) != name) continue;
    return equals == std::string_view::npos ? std::string() : percent_decoded(pair.substr(equals + 1));
  }
  return std::nullopt;
}

bool Request::is_list() const { return method == "LIST" || (method == "GET" && parameter("list") == "true"); }

bool Request::is_read() const { return method == "GET" || method == "HEAD" || method == "LIST" || method == "SCAN"; }

}  // namespace bellwether::sim
