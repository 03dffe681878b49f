#include "consistency.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "bellwether/base/text.h"

namespace bellwether::sim {
namespace {

constexpr std::string_view kIndex = "X-Vault-Index";
constexpr std::string_view kInconsistent = "X-Vault-Inconsistent";

auto count(const Request& request, std::string_view name) {
  return std::count_if(request.headers.begin(), request.headers.end(),
                       [name](const auto& header) { return equals_ignoring_case(header.first, name); });
}

std::optional<std::uint64_t> index_in(const Request& request) {
  const std::string_view text = request.header(kIndex).value_or("");
  std::uint64_t index = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return index;
}

}  // namespace

bool Consistency::wants_leader(const Request& request, TimePoint as_of) const {
  if (options_.missing_header_forward && count(request, kIndex) + count(request, kInconsistent) == 0) return true;
  const bool wants_it = request.header(kInconsistent) == "forward-active-node";
  return options_.consistency_headers && wants_it && index_in(request).value_or(0) > store_.puts_until(as_of);
}

std::optional<http::Response> Consistency::refuse(const Request& request, TimePoint as_of) const {
  if (!options_.consistency_headers || count(request, kIndex) == 0) return std::nullopt;
  const auto wanted = index_in(request);
  if (!wanted || count(request, kIndex) > 1) return errors_answer(400, {"invalid X-Vault-Index header"});
  if (*wanted <= store_.puts_until(as_of)) return std::nullopt;
  http::Response response = errors_answer(429, {"required index has not been reached"});
  response.headers.push_back({"Retry-After", "1"});
  return response;
}

void Consistency::state_index(const Request& request, http::Response& response, TimePoint now) const {
  if (!options_.consistency_headers || request.is_read()) return;
  response.headers.push_back({std::string(kIndex), fmt::format("{}", store_.puts_until(now))});
}

}  // namespace bellwether::sim
