#include "ask.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "app/discovery/nodes.h"
#include "app/service/admin_access.h"
#include "bellwether/base/percent.h"
#include "bellwether/base/visible.h"
#include "bellwether/http/serialize.h"
#include "bellwether/net/resolver.h"

namespace bellwether::app {

namespace {

// Of the instance that was given the same variable.
Result<std::string> admin_credentials() {
  const char* file = std::getenv("BELLWETHER_ADMIN_TOKEN_FILE");
  if (file == nullptr || *file == '\0') return std::string();
  const auto token = read_token(file);
  if (!token) return tl::unexpected(token.error().within("BELLWETHER_ADMIN_TOKEN_FILE"));
  return "Bearer " + *token;
}

Result<net::Address> resolve(net::Loop& loop, std::string_view text) {
  const auto colon = text.rfind(':');
  std::uint16_t port = 0;
  const std::string_view digits = colon == std::string_view::npos ? std::string_view{} : text.substr(colon + 1);
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (digits.empty() || parsed.ptr != digits.data() + digits.size() || parsed.ec != std::errc{}) {
    return fail(ErrorKind::kInvalid, for_people(text) + " is not an address such as 127.0.0.1:8209");
  }
  net::Resolver resolver(loop);
  std::optional<Result<net::NameAnswer>> answer;
  resolver.resolve(std::string(text.substr(0, colon)), port,
                   [&](Result<net::NameAnswer> found) { answer = std::move(found); });
  if (!loop.run_until([&] { return answer.has_value(); }, kUsualPatience)) {
    return fail(ErrorKind::kTimeout, "no answer about the name " + for_people(text.substr(0, colon)));
  }
  if (!*answer) return tl::unexpected(answer->error());
  return usable_addresses((*answer)->addresses).front();
}

}  // namespace

Result<net::Address> find_address(net::Loop& loop, std::string_view text) {
  constexpr std::string_view kScheme = "http://";
  if (text.substr(0, kScheme.size()) == kScheme) text.remove_prefix(kScheme.size());
  if (!text.empty() && text.back() == '/') text.remove_suffix(1);
  if (const std::size_t at = text.rfind('@'); at != std::string_view::npos) {
    return fail(ErrorKind::kInvalid, fmt::format("***{} has a user name; the token is read from the file that "
                                                 "BELLWETHER_ADMIN_TOKEN_FILE names",
                                                 for_people(text.substr(at))));
  }
  auto numeric = net::Address::parse(text);
  return numeric ? numeric : resolve(loop, text);
}

Result<wire::Reply> ask(net::Loop& loop, const net::Address& address, std::string_view method, std::string target,
                        Duration patience, std::string body) {
  wire::Client::Options options;
  options.address = address;
  const Duration connect_patience = std::min(kUsualPatience, patience);
  options.connect.timeout = connect_patience;
  options.answer_timeout = patience;
  options.max_body_bytes = std::size_t{8} * 1024 * 1024;
  wire::Client client(loop, std::move(options));
  http::Request request;
  request.method = method;
  request.target = std::move(target);
  request.body = std::move(body);
  if (!address.is_unix()) {
    const auto credentials = admin_credentials();
    if (!credentials) return tl::unexpected(credentials.error());
    if (!credentials->empty()) request.headers.push_back({"Authorization", *credentials});
  }
  request.host = address.is_unix() ? "bellwether" : address.to_string();
  std::optional<tl::expected<wire::Reply, wire::ExchangeError>> end;
  client.send(http::serialize(request), method,
              [&](tl::expected<wire::Reply, wire::ExchangeError> reply) { end = std::move(reply); });
  if (!loop.run_until([&] { return end.has_value(); }, connect_patience + patience)) {
    return fail(ErrorKind::kTimeout, "no answer");
  }
  if (!*end) return fail(ErrorKind::kUnavailable, end->error().message);
  return std::move(**end);
}

std::string refusal_of(const wire::Reply& reply) {
  const auto json = nlohmann::json::parse(reply.body, nullptr, false);
  if (json.is_object() && json.contains("error") && json["error"].is_string())
    return for_people(json["error"].get<std::string>());
  return fmt::format("answered {}", reply.status);
}

std::string path_of(const std::string& cluster, std::string path) {
  return cluster.empty() ? path : fmt::format("/clusters/{}{}", percent_encoded(cluster), path);
}

Result<std::string> ask_admin(net::Loop& loop, const std::string& admin, const std::string& path) {
  const auto address = find_address(loop, admin);
  if (!address) return tl::unexpected(address.error());
  auto reply = ask(loop, *address, "GET", path);
  if (!reply) {
    return fail(ErrorKind::kUnavailable,
                fmt::format("{} does not answer: {}. Is `bellwether run` running there? --admin names another address",
                            for_people(admin), for_people(reply.error().message)));
  }
  if (reply->status == 401) {
    return fail(
        ErrorKind::kUnavailable,
        fmt::format("{} wants its token: name the file with it in BELLWETHER_ADMIN_TOKEN_FILE", for_people(admin)));
  }
  if (reply->status == 404 && path.starts_with("/clusters/")) {
    return fail(ErrorKind::kUnavailable, refusal_of(*reply));
  }
  if (reply->status != 200) {
    return fail(ErrorKind::kProtocol, fmt::format("{} answered {} to {}", for_people(admin), reply->status, path));
  }
  return std::move(reply->body);
}

int print_report(const Report& report, const ReportOptions& options) {
  const auto text = [&]() -> Result<std::string> {
    auto loop = net::Loop::create({});
    if (!loop) return tl::unexpected(loop.error());
    auto answer = ask_admin(**loop, options.admin, path_of(options.cluster, report.path));
    if (!answer || options.json) return answer;
    return report.to_text(*answer);
  }();
  if (!text) {
    fmt::print(stderr, "bellwether {}: {}\n", report.command, text.error().message);
    return kExitFailed;
  }
  fmt::print("{}", *text);
  return kExitFine;
}

}  // namespace bellwether::app
