#include "clusters_text.h"

#include <fmt/format.h>

namespace bellwether::app {

bool has_several_clusters(const Json& answer) { return answer.is_object() && part_of(answer, "clusters").is_array(); }

Result<std::string> clusters_text(const Json& answer,
                                  const std::function<Result<std::string>(const Json& one)>& render) {
  if (!has_several_clusters(answer)) return render(answer);
  std::string all;
  for (const Json& each : part_of(answer, "clusters")) {
    if (!each.is_object()) continue;
    const auto text = render(each);
    if (!text) return text;
    all += fmt::format("{}cluster {}\n{}", all.empty() ? "" : "\n", text_of(each, "cluster"), *text);
  }
  return all;
}

}  // namespace bellwether::app
