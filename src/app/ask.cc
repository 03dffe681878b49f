#include "ask.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <utility>

#include "bellwether/http/serialize.h"
#include "bellwether/net/resolver.h"

namespace bellwether::app {

namespace {

constexpr Duration kPatience = 5s;

Result<net::Address> resolve(net::Loop& loop, std::string_view text) {
  const auto colon = text.rfind(':');
  std::uint16_t port = 0;
  const std::string_view digits = colon == std::string_view::npos ? std::string_view{} : text.substr(colon + 1);
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (digits.empty() || parsed.ptr != digits.data() + digits.size() || parsed.ec != std::errc{}) {
    return fail(ErrorKind::kInvalid, std::string(text) + " is not an address such as 127.0.0.1:8209");
  }
  net::Resolver resolver(loop);
  std::optional<Result<std::vector<net::Address>>> answer;
  resolver.resolve(std::string(text.substr(0, colon)), port,
                   [&](Result<std::vector<net::Address>> found) { answer = std::move(found); });
  if (!loop.run_until([&] { return answer.has_value(); }, kPatience)) {
    return fail(ErrorKind::kTimeout, "no answer about the name " + std::string(text.substr(0, colon)));
  }
  if (!*answer) return tl::unexpected(answer->error());
  return (*answer)->front();
}

}  // namespace

Result<net::Address> find_address(net::Loop& loop, std::string_view text) {
  constexpr std::string_view kScheme = "http://";
  if (text.substr(0, kScheme.size()) == kScheme) text.remove_prefix(kScheme.size());
  if (!text.empty() && text.back() == '/') text.remove_suffix(1);
  auto numeric = net::Address::parse(text);
  return numeric ? numeric : resolve(loop, text);
}

Result<wire::Reply> ask(net::Loop& loop, const net::Address& address, std::string_view method, std::string target) {
  wire::Client::Options options;
  options.address = address;
  options.connect.timeout = kPatience;
  options.answer_timeout = kPatience;
  options.max_body_bytes = std::size_t{8} * 1024 * 1024;
  wire::Client client(loop, std::move(options));
  http::Request request;
  request.method = method;
  request.target = std::move(target);
  request.host = address.is_unix() ? "bellwether" : address.to_string();
  std::optional<tl::expected<wire::Reply, wire::ExchangeError>> end;
  client.send(http::serialize(request), method,
              [&](tl::expected<wire::Reply, wire::ExchangeError> reply) { end = std::move(reply); });
  if (!loop.run_until([&] { return end.has_value(); }, 2 * kPatience)) {
    return fail(ErrorKind::kTimeout, "no answer");
  }
  if (!*end) return fail(ErrorKind::kUnavailable, end->error().message);
  return std::move(**end);
}

Result<std::string> ask_admin(net::Loop& loop, const std::string& admin, const std::string& path) {
  const auto address = find_address(loop, admin);
  if (!address) return tl::unexpected(address.error());
  auto reply = ask(loop, *address, "GET", path);
  if (!reply) {
    return fail(ErrorKind::kUnavailable,
                fmt::format("{} does not answer: {}. Is `bellwether run` running there? --admin names another address",
                            admin, reply.error().message));
  }
  if (reply->status != 200) {
    return fail(ErrorKind::kProtocol, fmt::format("{} answered {} to {}", admin, reply->status, path));
  }
  return std::move(reply->body);
}

}  // namespace bellwether::app
