#pragma once

#include <set>
#include <string>
#include <vector>

namespace bellwether::app::setup {

// A node of the cluster that is being found out, by what it said.
struct KnownNode {
  std::string url;
  std::string leader_address;                  // that it states; empty: none
  std::vector<std::string> certificate_names;  // that its certificate is for
};

// A server that may be a node of the same cluster.
struct Candidate {
  std::string url;
  std::string why;        // "https://vault-1:8200 names it as the leader"
  bool is_guess = false;  // nobody has named it
};

struct Candidates {
  std::vector<Candidate> to_ask;  // it counts once it has said that it belongs to the cluster
  // Named, and perhaps an address before the nodes, which would answer as one of them: for people to decide.
  std::vector<Candidate> aside;
};

// At most that many are asked in one round.
inline constexpr std::size_t kMaxToAsk = 32;

// Who else may be a node: whom the nodes state as their leader, whose name is like theirs with another number and in a
// certificate of theirs, or has a number from 0 to two above the greatest of theirs. `asked`: place_of() of those that
// were asked or put aside before; those that are found now are added. Names come before addresses.
[[nodiscard]] Candidates candidates_of(const std::vector<KnownNode>& known, std::set<std::string>& asked);

// Host and port of a URL in lower case, by which two of them are the same; empty if it is none.
[[nodiscard]] std::string place_of(const std::string& url);

}  // namespace bellwether::app::setup
