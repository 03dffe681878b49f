#pragma once

#include <string>
#include <string_view>

namespace bellwether::app {

// Text as roff takes it: nothing in it is a request or an escape, and what a reader copies is plain ASCII.
[[nodiscard]] std::string roff_text(std::string_view text);
// The same for Markdown: what is in backticks becomes bold, paragraphs are apart.
[[nodiscard]] std::string roff_of_markdown(std::string_view markdown);

}  // namespace bellwether::app
