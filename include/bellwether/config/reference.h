#pragma once

#include <string>
#include <string_view>

namespace bellwether::config {

// Texts that are derived from the option table and kept in conf/; a unit test compares them with the files.

// JSON Schema (draft 7) for editors.
[[nodiscard]] std::string json_schema();
// Every option at its default, with its sentence as a comment.
[[nodiscard]] std::string example_file();
// Two clusters in one process, with a listener each.
[[nodiscard]] std::string_view two_clusters_example();
// One Markdown table for each group of options.
[[nodiscard]] std::string options_markdown();

}  // namespace bellwether::config
