#pragma once

#include <functional>
#include <string_view>

#include "bellwether/admin/admin.h"
#include "bellwether/http/serialize.h"

namespace bellwether::admin {

using Respond = std::function<void(const http::Response&)>;

// Carries out what a POST to the control socket orders, and answers it by `respond`, at once or later. `target` is one
// of /pause, /resume, /repin, /reload and /node/NAME/STATE, with its query. Control thread.
void carry_out_order(std::string_view target, const AdminSources& sources, const Respond& respond);

}  // namespace bellwether::admin
