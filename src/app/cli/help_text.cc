#include "help_text.h"

#include <algorithm>

namespace bellwether::app {
namespace {

// Where the text of a line begins: in its second column, if it has two and the second leaves room.
std::size_t text_column(std::string_view line, std::size_t width) {
  const std::size_t first = std::min(line.find_first_not_of(' '), line.size());
  const std::size_t gap = line.find("  ", first);
  const std::size_t second = gap == std::string_view::npos ? gap : line.find_first_not_of(' ', gap);
  return second == std::string_view::npos || second > width / 2 ? std::min(first + 2, width / 2) : second;
}

void append_wrapped(std::string& out, std::string_view line, std::size_t width) {
  const std::string indent(text_column(line, width), ' ');
  std::size_t column = 0;                   // of what is being written
  std::size_t first_break = indent.size();  // no break within the first column
  while (column + line.size() > width) {
    const std::size_t room = width - column;
    std::size_t cut = line.rfind(' ', room);
    if (cut == std::string_view::npos || cut < first_break) cut = line.find(' ', std::max(room, first_break));
    if (cut == std::string_view::npos) break;  // one long word
    out.append(line.substr(0, cut)).append("\n").append(indent);
    line.remove_prefix(std::min(line.find_first_not_of(' ', cut), line.size()));
    column = indent.size();
    first_break = 1;
  }
  out.append(line).append("\n");
}

}  // namespace

std::string wrap_help(std::string_view text, std::size_t width) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    append_wrapped(out, text.substr(0, end), width);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

}  // namespace bellwether::app
