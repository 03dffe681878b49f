#include "health_check.h"

#include <algorithm>
#include <string>

#include "app/migration/haproxy/units.h"

namespace bellwether::app::migration {
namespace {

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

bool has_word(const Line& line, std::string_view word) {
  return std::find(line.words.begin(), line.words.end(), word) != line.words.end();
}

// "200", "200-399" or "200,429-473": does it take the code of a standby, 429 or 473?
bool takes_standby(std::string_view codes) {
  while (!codes.empty()) {
    const std::size_t comma = std::min(codes.find(','), codes.size());
    const std::string_view range = codes.substr(0, comma);
    codes.remove_prefix(std::min(comma + 1, codes.size()));
    const std::size_t dash = std::min(range.find('-'), range.size());
    const int low = parse_count(range.substr(0, dash)).value_or(0);
    const int high = dash == range.size() ? low : parse_count(range.substr(dash + 1)).value_or(low);
    if ((low <= 429 && high >= 429) || (low <= 473 && high >= 473)) return true;
  }
  return false;
}

// "http-check expect [comment ...] [!] status 200": does a standby fail it?
bool expects_leader(const Line& line) {
  for (std::size_t i = 2; i < line.words.size(); ++i) {
    const std::string_view word = line.word(i);
    if (word == "!") return has(line.word(i + 2), "429");
    if (word == "status") return !takes_standby(line.word(i + 1));
    if (word == "rstatus") return !has(line.word(i + 1), "429") && !has(line.word(i + 1), "473");
    if (has(word, "string")) return has(line.word(i + 1), "\"standby\":false") || has(line.word(i + 1), "is_self");
  }
  return true;
}

// A query may ask nodes to answer a standby's request as a leader's.
bool asks_for_standbys(std::string_view uri) {
  return has(uri, "standbyok") || has(uri, "standbycode=200") || has(uri, "standbycode=204");
}

void read_uri(const Line& line, HealthCheck& check) {
  for (const std::string& word : line.words) {
    if (!has(word, "/v1/sys/health")) continue;
    check.asks_health = true;
    check.finds_leader = !asks_for_standbys(word);
  }
}

}  // namespace

HealthCheck read_check(const Document& document, const Section& section) {
  HealthCheck check;
  if (const Line* line = document.find(section, "option", "tcp-check")) check.line = line;
  if (const Line* line = document.find(section, "option", "ssl-hello-chk")) {
    check.line = line;
    check.says_tls = true;
  }
  if (const Line* line = document.find(section, "option", "httpchk")) {
    check.line = line;
    check.asks_http = true;
    read_uri(*line, check);
  }
  bool expects = true;
  for (const Line* each : document.all(section, "http-check")) {
    if (each->word(1) == "send") read_uri(*each, check);
    if (each->word(1) == "expect") expects = expects && expects_leader(*each);
  }
  check.finds_leader = check.finds_leader && check.asks_http && expects;
  for (const std::string_view kind : {"http-check", "tcp-check"}) {
    for (const Line* each : document.all(section, kind)) {
      if (each->word(1) != "connect") continue;
      check.says_tls = check.says_tls || has_word(*each, "ssl");
      if (has_word(*each, "port") || has_word(*each, "addr")) check.elsewhere = each;
    }
  }
  return check;
}

}  // namespace bellwether::app::migration
