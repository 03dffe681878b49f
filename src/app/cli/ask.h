#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "bellwether/net/address.h"
#include "bellwether/net/loop.h"
#include "bellwether/wire/client.h"
#include "commands.h"

namespace bellwether::app {

// "127.0.0.1:8209", "localhost:8209" or either with http:// before it. May turn the loop to resolve a name.
[[nodiscard]] Result<net::Address> find_address(net::Loop& loop, std::string_view text);

inline constexpr Duration kUsualPatience = 5s;
// One request to a running Bellwether; turns the loop until the answer is there.
[[nodiscard]] Result<wire::Reply> ask(net::Loop& loop, const net::Address& address, std::string_view method,
                                      std::string target, Duration patience = kUsualPatience, std::string body = {});

// Why a request or an order was refused.
[[nodiscard]] std::string refusal_of(const wire::Reply& reply);

// A path of the admin address or the control socket, asked of `cluster`; empty: as it is.
[[nodiscard]] std::string path_of(const std::string& cluster, std::string path);

// What a running Bellwether says at its admin address; any other answer than 200 is an error in people's words.
[[nodiscard]] Result<std::string> ask_admin(net::Loop& loop, const std::string& admin, const std::string& path);

// A command that prints what the admin address says under a path: as it is, or put into words. Its exit code.
struct Report {
  std::string_view command;
  std::string path;
  Result<std::string> (*to_text)(std::string_view json) = nullptr;
};
int print_report(const Report& report, const ReportOptions& options);

}  // namespace bellwether::app
