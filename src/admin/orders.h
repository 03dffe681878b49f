#pragma once

#include <string_view>

#include "bellwether/admin/admin.h"
#include "bellwether/http/serialize.h"

namespace bellwether::admin {

// Carries out what a POST to the control socket orders, and answers it. `target` is one of /pause, /resume, /repin and
// /node/NAME/STATE, with its query. Control thread.
[[nodiscard]] http::Response carry_out_order(std::string_view target, const AdminSources& sources,
                                             const AdminOptions& options);

}  // namespace bellwether::admin
