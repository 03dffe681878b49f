#pragma once

#include "bellwether/admin/admin.h"
#include "bellwether/http/serialize.h"
#include "cluster_path.h"
#include "state.h"

namespace bellwether::admin {

// The answer to a GET of a path, made of a copy of the state that has what needs_of(path) says. REQUIRES:
// is_read_path(path.rest).
[[nodiscard]] http::Response read_answer(const ClusterPath& path, const State& state, const AdminOptions& options);

}  // namespace bellwether::admin
