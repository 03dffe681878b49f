#include "bellwether/vault/retry.h"

namespace bellwether::vault {

std::string_view to_text(Row row) {
  switch (row) {
    case Row::kAnswered:
      return "answered";
    case Row::kOtherRedirect:
      return "other_redirect";
    case Row::kNamespaceClosed:
      return "namespace_closed";
    case Row::kOverloaded:
      return "overloaded";
    case Row::kNodeError:
      return "node_error";
    case Row::kNotConnected:
      return "not_connected";
    case Row::kNothingSent:
      return "nothing_sent";
    case Row::kRedirected:
      return "redirected";
    case Row::kNotActive:
      return "not_active";
    case Row::kNoActiveFound:
      return "no_active_found";
    case Row::kSealed:
      return "sealed";
    case Row::kCanceledEarly:
      return "canceled_early";
    case Row::kRemoved:
      return "removed";
    case Row::kIndexNotReached:
      return "index_not_reached";
    case Row::kRedirectedToItself:
      return "redirected_to_itself";
    case Row::kUnknownMount:
      return "unknown_mount";
    case Row::kMaybeForwarded:
      return "maybe_forwarded";
    case Row::kMaybeActed:
      return "maybe_acted";
    case Row::kSealedMidway:
      return "sealed_midway";
    case Row::kLeadershipLost:
      return "leadership_lost";
    case Row::kMaybeRemoved:
      return "maybe_removed";
    case Row::kCut:
      return "cut";
    case Row::kCutInAnswer:
      return "cut_in_answer";
    case Row::kNoAnswer:
      return "no_answer";
    case Row::kUnreadableAnswer:
      return "unreadable_answer";
    case Row::kUnconfirmed:
      return "unconfirmed";
  }
  return "unknown";
}

std::string_view explanation_of(Row row) {
  switch (row) {
    case Row::kMaybeForwarded:
      return "the node is not the leader and may have forwarded the request before it said so";
    case Row::kMaybeActed:
      return "the node does not lead, and may have carried out a part of the request before it refused it";
    case Row::kSealedMidway:
      return "the node was sealed while it worked on the request";
    case Row::kLeadershipLost:
      return "the node lost the leadership while it worked on the request";
    case Row::kMaybeRemoved:
      return "the node has been removed from the cluster";
    case Row::kCut:
      return "the connection to the node ended before it answered";
    case Row::kCutInAnswer:
      return "the connection to the node ended in the middle of its answer";
    case Row::kNoAnswer:
      return "the node did not answer in time";
    case Row::kUnreadableAnswer:
      return "the node's answer was not valid HTTP";
    case Row::kUnconfirmed:
      return "the node has answered, but not confirmed since that it leads: what it said may be out of date, and what "
             "it wrote may stand";
    case Row::kAnswered:
    case Row::kOtherRedirect:
    case Row::kNamespaceClosed:
    case Row::kOverloaded:
    case Row::kNodeError:
    case Row::kNotConnected:
    case Row::kNothingSent:
    case Row::kRedirected:
    case Row::kNotActive:
    case Row::kNoActiveFound:
    case Row::kSealed:
    case Row::kCanceledEarly:
    case Row::kRemoved:
    case Row::kIndexNotReached:
    case Row::kRedirectedToItself:
    case Row::kUnknownMount:
      return {};
  }
  return {};
}

std::optional<cluster::HintKind> hint_of(Row row) {
  if (row == Row::kRedirected || row == Row::kRedirectedToItself) return cluster::HintKind::kRedirected;
  if (row == Row::kNotActive || row == Row::kNoActiveFound || row == Row::kMaybeForwarded ||
      row == Row::kUnknownMount || row == Row::kMaybeActed) {
    return cluster::HintKind::kNotActive;
  }
  if (row == Row::kSealed || row == Row::kSealedMidway) return cluster::HintKind::kSealed;
  return std::nullopt;
}

}  // namespace bellwether::vault
