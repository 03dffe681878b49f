#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "bellwether/admin/admin.h"
#include "bellwether/http/serialize.h"

namespace bellwether::admin {

using Respond = std::function<void(const http::Response&)>;

// What a POST to the control socket orders.
struct Order {
  std::string target;  // with its query
  std::string body;    // of /check; others ignore it
};

// Whether a path (ClusterPath::rest) is that of an order: /pause, /resume, /repin, /reload, /check, /log-level or
// /node/NAME/STATE.
[[nodiscard]] bool is_order_path(std::string_view path);

// Carries out an order and answers it by `respond`, at once or later. `now`: of the control thread, which calls this.
void carry_out_order(Order order, const AdminSources& sources, TimePoint now, const Respond& respond);

}  // namespace bellwether::admin
