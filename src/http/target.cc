#include "bellwether/http/target.h"

namespace bellwether::http {

std::string_view origin_form(std::string_view target) {
  if (target.empty() || target.front() == '/' || target == "*") return target;
  const std::size_t scheme_end = target.find("://");
  if (scheme_end == std::string_view::npos) return target;
  const std::size_t start = target.find_first_of("/?", scheme_end + 3);
  return start == std::string_view::npos ? std::string_view{} : target.substr(start);
}

std::string_view path_of(std::string_view target) {
  const std::string_view own = origin_form(target);
  const std::string_view path = own.substr(0, own.find('?'));
  return path.empty() ? std::string_view("/") : path;
}

}  // namespace bellwether::http
