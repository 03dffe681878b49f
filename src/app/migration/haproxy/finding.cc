#include "finding.h"

#include <algorithm>
#include <array>

#include "bellwether/base/visible.h"

namespace bellwether::app::migration {
namespace {

constexpr std::size_t kMaxShown = 100;

// From which word on a line is not shown.
struct Secret {
  std::string_view first;
  std::string_view second;  // empty: any
  std::size_t shown_words;
};

constexpr std::array<Secret, 11> kSecrets{{{"stats", "auth", 2},
                                           {"http-request", "set-header", 3},
                                           {"http-request", "add-header", 3},
                                           {"http-request", "replace-header", 3},
                                           {"http-request", "replace-value", 3},
                                           {"http-response", "set-header", 3},
                                           {"http-response", "add-header", 3},
                                           {"http-check", "send", 2},
                                           {"tcp-check", "send", 2},
                                           {"tcp-check", "send-binary", 2},
                                           {"setenv", "", 2}}};

std::size_t shown_words(const Line& line) {
  const auto found = std::find_if(kSecrets.begin(), kSecrets.end(), [&](const Secret& each) {
    return each.first == line.word(0) && (each.second.empty() || each.second == line.word(1));
  });
  return found == kSecrets.end() ? line.words.size() : found->shown_words;
}

}  // namespace

std::string_view word_of(FindingKind kind) {
  switch (kind) {
    case FindingKind::kLost:
      return "lost";
    case FindingKind::kDecide:
      return "decide";
    case FindingKind::kNote:
      return "note";
    case FindingKind::kBetter:
      return "better";
  }
  return "";
}

std::string shown(const Line& line) {
  const std::size_t most = shown_words(line);
  std::string text;
  for (std::size_t i = 0; i < line.words.size() && i < most && text.size() <= kMaxShown; ++i) {
    if (i > 0) text += ' ';
    text += for_people(std::string_view(line.words[i]).substr(0, kMaxShown));
  }
  const bool is_cut = text.size() > kMaxShown;
  if (is_cut) {
    std::size_t end = kMaxShown;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;  // not within a character
    text.resize(end);
  }
  if (is_cut || line.words.size() > most) text += " ...";
  return text;
}

}  // namespace bellwether::app::migration
