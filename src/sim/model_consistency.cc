#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "bellwether/base/text.h"
#include "model.h"

// The consistency headers of OpenBao 2.7 (src/vault/FACTS.md 7). The index is opaque to clients; here it is a number.
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

std::uint64_t Model::index_of(int node, TimePoint now) const {
  const Node& n = at(node);
  return store_.puts_until(std::min(is_active(n) ? now : now - options_.replication_lag, n.cut_at));
}

// A standby sends such a request to the leader, whatever it asks for.
bool Model::forwards_by_headers(int node, const Request& request, TimePoint now) const {
  const Node& n = at(node);
  if (is_active(n) || n.role != NodeRole::kStandby || leader() < 0) return false;
  if (options_.missing_header_forward && count(request, kIndex) + count(request, kInconsistent) == 0) return true;
  const bool wants_it = request.header(kInconsistent) == "forward-active-node";
  return options_.consistency_headers && wants_it && index_in(request).value_or(0) > index_of(node, now);
}

std::optional<http::Response> Model::refuse_index(int node, const Request& request, TimePoint now) const {
  if (!options_.consistency_headers || count(request, kIndex) == 0) return std::nullopt;
  const auto wanted = index_in(request);
  if (!wanted || count(request, kIndex) > 1) return errors_answer(400, {"invalid X-Vault-Index header"});
  if (*wanted <= index_of(node, now)) return std::nullopt;
  http::Response response = errors_answer(429, {"required index has not been reached"});
  response.headers.push_back({"Retry-After", "1"});
  return response;
}

void Model::state_index(const Request& request, http::Response& response, TimePoint now) const {
  if (!options_.consistency_headers || request.is_read()) return;
  response.headers.push_back({std::string(kIndex), fmt::format("{}", store_.puts_until(now))});
}

}  // namespace bellwether::sim
