#include "hop_by_hop.h"

#include <algorithm>

#include "bellwether/base/text.h"

namespace bellwether::http {
namespace {

// Calls `is_it` with each option of each Connection line until it says true.
template <typename Predicate>
bool any_connection_option(const std::vector<Header>& headers, Predicate is_it) {
  for (const Header& header : headers) {
    constexpr std::string_view kConnection = "connection";
    if (header.name.size() != kConnection.size() || !equals_ignoring_case(header.name, kConnection)) continue;
    std::string_view rest = header.value;
    while (!rest.empty()) {
      const std::size_t comma = rest.find(',');
      if (is_it(trim(rest.substr(0, comma)))) return true;
      rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    }
  }
  return false;
}

bool names_no_header(std::string_view option) {
  return option.empty() || equals_ignoring_case(option, "keep-alive") || equals_ignoring_case(option, "close") ||
         equals_ignoring_case(option, "upgrade");
}

bool is(std::string_view name, std::string_view lower) { return equals_ignoring_case(name, lower); }

}  // namespace

Passage passage_of(std::string_view name) {
  const auto ends_here_if = [](bool is_it) { return is_it ? Passage::kHopByHop : Passage::kEndToEnd; };
  switch (name.size()) {
    case 2:
      return ends_here_if(is(name, "te"));
    case 4:
      return is(name, "host") ? Passage::kOurs : Passage::kEndToEnd;
    case 6:
      return is(name, "expect") ? Passage::kOurs : Passage::kEndToEnd;
    case 7:
      return ends_here_if(is(name, "upgrade") || is(name, "trailer"));
    case 10:
      return ends_here_if(is(name, "connection") || is(name, "keep-alive"));
    case 14:
      if (is(name, "content-length")) return Passage::kOurs;
      return ends_here_if(is(name, "http2-settings"));
    case 15:
      return is(name, "x-forwarded-for") ? Passage::kForwarded : Passage::kEndToEnd;
    case 16:
      return ends_here_if(is(name, "proxy-connection"));
    case 17:
      return ends_here_if(is(name, "transfer-encoding"));
    case 18:
      return ends_here_if(is(name, "proxy-authenticate"));
    case 19:
      return ends_here_if(is(name, "proxy-authorization"));
  }
  return Passage::kEndToEnd;
}

NamedByConnection::NamedByConnection(const std::vector<Header>& headers)
    : headers_(headers),
      names_any_(any_connection_option(headers, [](std::string_view option) { return !names_no_header(option); })) {}

bool NamedByConnection::is_named(std::string_view name) const {
  return any_connection_option(headers_, [name](std::string_view option) { return is(option, name); });
}

}  // namespace bellwether::http
