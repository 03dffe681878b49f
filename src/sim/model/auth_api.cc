#include "auth_api.h"

namespace bellwether::sim {
namespace {

using nlohmann::json;

constexpr std::string_view kRadiusLogin = "/v1/auth/radius/login/";
constexpr std::string_view kTokenCreate = "/v1/auth/token/create";
constexpr std::string_view kTokenLookup = "/v1/auth/token/lookup";

// The field of the request's body, if that is an object that has it as text.
std::string text_in(const Request& request, const char* field) {
  const json body = json::parse(request.body, nullptr, false);
  if (!body.is_object() || !body.contains(field) || !body[field].is_string()) return {};
  return body[field].get<std::string>();
}

}  // namespace

std::optional<std::string> AuthApi::radius_user(const Request& request) {
  const std::string_view path = request.path();
  if (!request.is_put() || !path.starts_with(kRadiusLogin) || path.size() == kRadiusLogin.size()) return std::nullopt;
  return std::string(path.substr(kRadiusLogin.size()));
}

bool AuthApi::is_lookup(const Request& request) { return request.is_put() && request.path() == kTokenLookup; }

void AuthApi::call_radius(const std::string& user) {
  if (radius_calls_.size() < kMaxUsers || radius_calls_.count(user) > 0) ++radius_calls_[user];
}

std::uint64_t AuthApi::radius_calls(const std::string& user) const {
  const auto found = radius_calls_.find(user);
  return found == radius_calls_.end() ? 0 : found->second;
}

std::optional<http::Response> AuthApi::answer(const Request& request, TimePoint as_of, Instant now, Prng& prng) {
  if (is_lookup(request)) {
    const std::string token = text_in(request, "token");
    if (tokens_.find(token, std::nullopt, as_of) == nullptr) return errors_answer(403, {"bad token"});
    return data_answer(200, {{"id", token}, {"policies", {"default"}}}, prng);
  }
  if (!request.is_put() || request.path() != kTokenCreate) return std::nullopt;
  const std::string token = text_in(request, "id");
  if (token.empty()) return errors_answer(400, {"the simulated cluster makes tokens by \"id\" only"});
  const Result<int> made = tokens_.put(token, json::object(), std::nullopt, now);
  if (!made) return errors_answer(500, {made.error().message});
  return data_answer(200, {{"id", token}}, prng);
}

http::Response AuthApi::login_answer(const std::string& user, Prng& prng) {
  return data_answer(200, {{"username", user}}, prng);
}

}  // namespace bellwether::sim
