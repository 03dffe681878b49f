#include "roff.h"

namespace bellwether::app {
namespace {

void append_char(std::string& out, char c) {
  switch (c) {
    case '\\':
      out += "\\e";
      break;
    case '-':
      out += "\\-";
      break;
    case '\'':
      out += "\\(aq";
      break;
    case '`':
      out += "\\(ga";
      break;
    case '^':
      out += "\\(ha";
      break;
    case '~':
      out += "\\(ti";
      break;
    default:
      // A line that begins so would be a request.
      if (c == '.' && (out.empty() || out.back() == '\n')) out += "\\&";
      out += c;
  }
}

}  // namespace

std::string roff_text(std::string_view text) {
  std::string out;
  for (const char c : text) append_char(out, c);
  return out;
}

std::string roff_of_markdown(std::string_view markdown) {
  std::string out;
  bool is_bold = false;
  while (!markdown.empty()) {
    if (markdown.starts_with("\n\n")) {
      out += "\n.PP\n";
      markdown.remove_prefix(2);
      continue;
    }
    const char c = markdown.front();
    markdown.remove_prefix(1);
    if (c == '`') {
      is_bold = !is_bold;
      out += is_bold ? "\\fB" : "\\fR";
    } else {
      append_char(out, c);
    }
  }
  return out;
}

}  // namespace bellwether::app
