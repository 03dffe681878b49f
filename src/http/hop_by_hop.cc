#include "hop_by_hop.h"

#include <algorithm>
#include <numeric>

#include "bellwether/base/text.h"

namespace bellwether::http {
namespace {

// Calls `visit` with each option of each Connection line.
template <typename Visit>
void for_each_connection_option(const std::vector<Header>& headers, Visit visit) {
  for (const Header& header : headers) {
    constexpr std::string_view kConnection = "connection";
    if (header.name.size() != kConnection.size() || !equals_ignoring_case(header.name, kConnection)) continue;
    std::string_view rest = header.value;
    while (!rest.empty()) {
      const std::size_t comma = rest.find(',');
      visit(trim(rest.substr(0, comma)));
      rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    }
  }
}

bool names_no_header(std::string_view option) {
  return option.empty() || equals_ignoring_case(option, "keep-alive") || equals_ignoring_case(option, "close") ||
         equals_ignoring_case(option, "upgrade");
}

// An order of names that takes no notice of case: by length first, which most comparisons end with.
bool is_before(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return a.size() < b.size();
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                      [](char x, char y) { return lower_ascii(x) < lower_ascii(y); });
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
    case 9:
      return is(name, "forwarded") ? Passage::kForwarded : Passage::kEndToEnd;
    case 10:
      return ends_here_if(is(name, "connection") || is(name, "keep-alive"));
    case 14:
      if (is(name, "content-length")) return Passage::kOurs;
      return ends_here_if(is(name, "http2-settings"));
    case 15:
      return is(name, "x-forwarded-for") ? Passage::kForwardedFor : Passage::kEndToEnd;
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

NamedByConnection::NamedByConnection(const std::vector<Header>& headers) : headers_(headers) {
  for_each_connection_option(headers, [this](std::string_view option) {
    if (!names_no_header(option)) mark(option);
  });
}

void NamedByConnection::mark(std::string_view option) {
  if (by_name_.empty()) sort_headers();
  auto at = std::lower_bound(
      by_name_.begin(), by_name_.end(), option,
      [this](std::uint32_t index, std::string_view name) { return is_before(headers_[index].name, name); });
  // An option that is repeated finds its headers marked.
  for (; at != by_name_.end() && is(headers_[*at].name, option) && !is_named_[*at]; ++at) is_named_[*at] = true;
}

void NamedByConnection::sort_headers() {
  by_name_.resize(headers_.size());
  is_named_.resize(headers_.size());
  std::iota(by_name_.begin(), by_name_.end(), 0U);
  std::sort(by_name_.begin(), by_name_.end(),
            [this](std::uint32_t a, std::uint32_t b) { return is_before(headers_[a].name, headers_[b].name); });
}

}  // namespace bellwether::http
