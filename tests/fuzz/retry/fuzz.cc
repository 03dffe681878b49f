// A node may answer anything: a row comes out, never an exception, and proof only with an errors object as its body or
// a redirect. Input: status code choice, then location and body parted by a line feed.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "bellwether/vault/mount.h"
#include "bellwether/vault/request_class.h"
#include "bellwether/vault/retry.h"

using namespace bellwether::vault;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  constexpr int kCodes[] = {200, 307, 429, 500, 503, 530, 400, 101};
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  const std::size_t line_end = std::min(text.find('\n'), text.size());
  const std::string_view location = text.substr(0, line_end);
  const std::string_view body = text.substr(std::min(line_end + 1, text.size()));

  constexpr std::string_view kUrls[] = {"https://n1:8200", "http://[::1]"};
  Attempt attempt;
  attempt.path = "/v1/secret/data/a%20b";
  attempt.forbade_forwarding = true;
  attempt.effect = Effect::kStorage;
  attempt.conduct = StandbyConduct::kActsFirst;
  attempt.node_urls = kUrls;
  const Answer answer{kCodes[data[0] % 8], location, body};
  const Row row = judge(attempt, answer);
  const bool is_proof = verdict_of(row) == Verdict::kProof || verdict_of(row) == Verdict::kAgainHere;
  if (is_proof && answer.status != 307 && body.find("errors") == std::string_view::npos &&
      body.find('\\') == std::string_view::npos) {
    std::abort();
  }
  static_cast<void>(first_error(body));
  // The same bytes as a path.
  static_cast<void>(classify("PUT", text));
  static_cast<void>(may_be_stream(text));
  static_cast<void>(role_to_bootstrap(text));
  if (effect_of(text, {}) != Effect::kOutside) std::abort();  // without a token
  if (const auto mount = parse_mount(200, body)) static_cast<void>(effect_in(*mount, location));
  return 0;
}
