#include "bellwether/wire/idleness.h"

#include <algorithm>
#include <tuple>

namespace bellwether::wire {
namespace {

Duration min_wait(Idleness idleness, const RoomPolicy& policy) {
  switch (idleness) {
    case Idleness::kSilent:
      return policy.silent;
    case Idleness::kAnswered:
      return policy.answered;
    case Idleness::kUnfinished:
      return policy.unfinished;
    case Idleness::kStuck:
      return policy.stuck;
    case Idleness::kBetween:
      return policy.between;
  }
  return Duration::max();
}

}  // namespace

std::size_t end_longest_idle(std::vector<IdleConnection> connections, TimePoint now, const RoomPolicy& policy) {
  const auto is_too_young = [&](const IdleConnection& each) {
    return now - each.since < min_wait(each.idleness, policy);
  };
  // These will be old enough in a moment.
  const bool spares_between = std::any_of(connections.begin(), connections.end(), [&](const IdleConnection& each) {
    return each.idleness <= Idleness::kAnswered && is_too_young(each);
  });
  const auto is_spared = [&](const IdleConnection& each) {
    return is_too_young(each) || (spares_between && each.idleness == Idleness::kBetween);
  };
  connections.erase(std::remove_if(connections.begin(), connections.end(), is_spared), connections.end());
  const auto first = std::min(policy.most, connections.size());
  std::partial_sort(connections.begin(), connections.begin() + static_cast<std::ptrdiff_t>(first), connections.end(),
                    [](const IdleConnection& a, const IdleConnection& b) {
                      return std::tie(a.idleness, a.since) < std::tie(b.idleness, b.since);
                    });
  std::size_t ended = 0;
  std::size_t ended_between = 0;
  for (std::size_t i = 0; i < first; ++i) {
    const bool is_between = connections[i].idleness == Idleness::kBetween;
    if (is_between && ended_between >= policy.most_between) break;
    if (!connections[i].end()) continue;
    ++ended;
    ended_between += is_between ? 1 : 0;
  }
  return ended;
}

}  // namespace bellwether::wire
