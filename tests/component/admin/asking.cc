#include "component/admin/asking.h"

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "bellwether/http/serialize.h"

namespace bellwether::admin::testing {

Folder::Folder() : path_((std::filesystem::temp_directory_path() / "bw_admin_XXXXXX").string()) {
  REQUIRE(::mkdtemp(path_.data()) != nullptr);
}

Folder::~Folder() { std::filesystem::remove_all(path_); }

wire::Reply ask(net::Loop& loop, const net::Address& address, std::string_view method, const std::string& target) {
  wire::Client::Options options;
  options.address = address;
  wire::Client client(loop, std::move(options));
  std::optional<wire::Reply> got;
  http::Request request;
  request.method = method;
  request.target = target;
  request.host = "localhost";
  client.send(http::serialize(request), method, [&](tl::expected<wire::Reply, wire::ExchangeError> reply) {
    REQUIRE(reply);
    got = std::move(*reply);
  });
  REQUIRE(loop.run_until([&] { return got.has_value(); }, 10s));
  return std::move(*got);
}

std::string header(const wire::Reply& reply, std::string_view name) {
  for (const auto& [key, value] : reply.headers) {
    if (key == name) return value;
  }
  return "";
}

std::string error(const wire::Reply& reply) { return nlohmann::json::parse(reply.body).at("error"); }

}  // namespace bellwether::admin::testing
