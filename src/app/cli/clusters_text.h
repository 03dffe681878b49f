#pragma once

#include <functional>
#include <string>

#include "answer_text.h"
#include "bellwether/base/result.h"

namespace bellwether::app {

// Whether an answer tells of several clusters, each in its own object of the list "clusters".
[[nodiscard]] bool has_several_clusters(const Json& answer);

// What `render` makes of an answer about one cluster, or, of one about several, of the object of each cluster: that
// stands under a line with the cluster's name.
[[nodiscard]] Result<std::string> clusters_text(const Json& answer,
                                                const std::function<Result<std::string>(const Json& one)>& render);

}  // namespace bellwether::app
