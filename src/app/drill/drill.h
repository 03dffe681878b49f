#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "bellwether/base/time.h"

namespace bellwether::app::drill {

// One request of a drill's own client.
struct Asking {
  TimePoint sent{};
  TimePoint ended{};    // its answer, or its failure
  std::string failure;  // empty: the leader answered
};

// What clients notice of a change of leader.
struct Result {
  std::size_t asked = 0;
  std::size_t failed = 0;
  std::map<std::string, std::size_t> failures;  // how often each; at most kMaxFailures different ones
  Duration longest_wait{};                      // of one request that was answered
  // The longest time in which no request was answered, and when it began.
  Duration longest_silence{};
  TimePoint silent_since{};
};
inline constexpr std::size_t kMaxFailures = 20;

// `askings`: of which any may have ended first. The time before the first answer and behind the last is no silence.
[[nodiscard]] Result result_of(std::vector<Asking> askings);

// A moment of a drill, for its picture.
struct Mark {
  TimePoint at{};
  std::string label;
};

// How long each request took, by the moment it was sent, with failures in red and the marks as vertical lines: SVG,
// with nothing from outside of it and a title for screen readers. Texts are escaped.
[[nodiscard]] std::string picture_of(const std::vector<Asking>& askings, const std::vector<Mark>& marks,
                                     const std::string& title);

}  // namespace bellwether::app::drill
