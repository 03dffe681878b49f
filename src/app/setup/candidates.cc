#include "candidates.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include "bellwether/base/text.h"
#include "bellwether/vault/health.h"

namespace bellwether::app::setup {
namespace {

constexpr std::string_view kDigits = "0123456789";
constexpr std::size_t kMaxDigits = 4;  // a year or an address is no node's number
constexpr unsigned kBeyond = 2;        // numbers above the greatest that is known

// "vault-03.example.com" is "vault-", 3 in two digits, ".example.com": the last number of its first label.
struct Numbered {
  std::string before;
  unsigned number = 0;
  std::size_t digits = 0;
  std::string after;

  [[nodiscard]] std::string with(unsigned other) const {
    return fmt::format("{}{:0{}}{}", before, other, digits, after);
  }
  // Written with leading zeros or without: a name of the same kind.
  [[nodiscard]] bool is_like(const Numbered& other) const { return before == other.before && after == other.after; }
};

bool is_name(std::string_view host) {
  return !host.empty() && host.front() != '[' && host.find_first_not_of("0123456789.") != std::string_view::npos;
}

std::optional<Numbered> numbered(const std::string& host) {
  const std::string first = host.substr(0, host.find('.'));
  const std::size_t last = first.find_last_of(kDigits);
  if (!is_name(host) || last == std::string::npos) return std::nullopt;
  const std::size_t before = first.find_last_not_of(kDigits, last);
  const std::size_t begin = before == std::string::npos ? 0 : before + 1;
  Numbered made{host.substr(0, begin), 0, last + 1 - begin, host.substr(last + 1)};
  if (made.digits > kMaxDigits) return std::nullopt;
  std::from_chars(host.data() + begin, host.data() + last + 1, made.number);
  return made;
}

struct Origin {
  std::string scheme;
  vault::ApiOrigin at;
};

std::optional<Origin> origin_of(const std::string& url) {
  auto at = vault::api_origin(url);
  if (!at) return std::nullopt;
  at->host = lower_ascii(at->host);
  return Origin{lower_ascii(url.substr(0, url.find(':'))), std::move(*at)};
}

std::string url_of(const Origin& like, const std::string& host) {
  return fmt::format("{}://{}:{}", like.scheme, host, like.at.port);
}

class Search {
 public:
  explicit Search(std::set<std::string>& asked) : asked_(asked) {}

  void find(const std::vector<KnownNode>& known) {
    for (const KnownNode& node : known) asked_.insert(place_of(node.url));
    for (const KnownNode& node : known) {
      const auto origin = origin_of(node.url);
      if (!origin) continue;
      if (const auto name = numbered(origin->at.host)) kinds_.emplace_back(*origin, *name);
    }
    for (const KnownNode& node : known) ask_for_leader(node);
    for (const KnownNode& node : known) ask_for_names(node);
    ask_for_numbers();
    // A name is better than an address that it leads to.
    std::stable_partition(found.to_ask.begin(), found.to_ask.end(), [](const Candidate& each) {
      const auto origin = origin_of(each.url);
      return origin && is_name(origin->at.host);
    });
  }

  Candidates found;

 private:
  void add(std::vector<Candidate>& to, const std::string& url, std::string why, bool is_guess = false) {
    const std::string place = place_of(url);
    if (place.empty() || (&to == &found.to_ask && to.size() == kMaxToAsk)) return;
    if (asked_.insert(place).second) to.push_back({url, std::move(why), is_guess});
  }

  void ask_for_leader(const KnownNode& node) {
    const auto leader = origin_of(node.leader_address);
    if (!leader) return;
    add(found.to_ask, url_of(*leader, leader->at.host), fmt::format("{} names it as the leader", node.url));
  }

  void ask_for_names(const KnownNode& node) {
    const auto origin = origin_of(node.url);
    if (!origin) return;
    for (const std::string& written : node.certificate_names) {
      const std::string name = lower_ascii(written);
      if (name.find('*') != std::string::npos || name == "localhost" || !is_name(name)) continue;
      const auto kind = numbered(name);
      const bool is_like_a_node = kind && std::any_of(kinds_.begin(), kinds_.end(),
                                                      [&](const auto& each) { return each.second.is_like(*kind); });
      add(is_like_a_node ? found.to_ask : found.aside, url_of(*origin, name),
          fmt::format("the certificate of {} names it", node.url));
    }
  }

  void ask_for_numbers() {
    for (const auto& [origin, name] : kinds_) {
      unsigned greatest = 0;
      for (const auto& [_, other] : kinds_) {
        if (name.is_like(other)) greatest = std::max(greatest, other.number);
      }
      if (greatest > kMaxToAsk) continue;  // no counting of nodes
      for (unsigned number = 0; number <= greatest + kBeyond; ++number) {
        add(found.to_ask, url_of(origin, name.with(number)), fmt::format("its name is like {}", name.with(name.number)),
            true);
      }
    }
  }

  std::set<std::string>& asked_;
  std::vector<std::pair<Origin, Numbered>> kinds_;
};

}  // namespace

std::string place_of(const std::string& url) {
  const auto origin = origin_of(url);
  return origin ? fmt::format("{}:{}", origin->at.host, origin->at.port) : std::string();
}

Candidates candidates_of(const std::vector<KnownNode>& known, std::set<std::string>& asked) {
  Search search(asked);
  search.find(known);
  return std::move(search.found);
}

}  // namespace bellwether::app::setup
