#include "bellwether/vault/retry.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "bellwether/base/text.h"
#include "bellwether/vault/request_class.h"
#include "json.h"
#include "location.h"

namespace bellwether::vault {
namespace {

using cluster::Role;

// How one of the node's texts is to be found in its answer.
enum class Match : std::uint8_t {
  kOnly,    // it is the whole of the only error
  kWithin,  // in any error, perhaps amid other words
};
// What must be known besides for a proof.
enum class Given : std::uint8_t {
  kNothing,
  kNoLeader,  // the node does not lead, and has done nothing that counts before it said so
  kSealed,    // the node was sealed while the request waited, not while it was carried out
};
struct TextRow {
  int status;
  Match match;
  std::string_view text;
  Given given;
  Row row;
};

constexpr std::string_view kSealedText = "Vault is sealed";

// The first that matches decides. Sources: FACTS.md 3.
constexpr std::array kTexts = {
    TextRow{500, Match::kOnly, "local node not active but active cluster node not found", Given::kNoLeader,
            Row::kNotActive},
    TextRow{503, Match::kOnly, "no active Vault instance found", Given::kNoLeader, Row::kNoActiveFound},
    TextRow{503, Match::kOnly, kSealedText, Given::kSealed, Row::kSealed},
    TextRow{503, Match::kWithin, kSealedText, Given::kNothing, Row::kSealedMidway},
    TextRow{500, Match::kWithin, kSealedText, Given::kNothing, Row::kSealedMidway},
    TextRow{500, Match::kOnly, "active context canceled after getting state lock", Given::kNothing,
            Row::kCanceledEarly},
    TextRow{503, Match::kWithin, "namespace is sealed", Given::kNothing, Row::kNamespaceClosed},
    TextRow{503, Match::kWithin, "API access to this namespace has been locked", Given::kNothing,
            Row::kNamespaceClosed},
    TextRow{503, Match::kWithin, "Vault server temporarily overloaded", Given::kNothing, Row::kOverloaded},
    TextRow{503, Match::kWithin, "overloaded, try again later", Given::kNothing, Row::kOverloaded},
    TextRow{500, Match::kWithin, "node is not the leader", Given::kNothing, Row::kLeadershipLost},
    TextRow{500, Match::kWithin, "leadership lost while committing log", Given::kNothing, Row::kLeadershipLost},
    TextRow{500, Match::kWithin, "leadership transfer in progress", Given::kNothing, Row::kLeadershipLost},
    TextRow{500, Match::kWithin, "raft is already shutdown", Given::kNothing, Row::kLeadershipLost},
    TextRow{500, Match::kWithin, "context canceled", Given::kNothing, Row::kLeadershipLost},
    TextRow{500, Match::kWithin, "lock has changed ownership before attempting write", Given::kNothing,
            Row::kLeadershipLost},
    TextRow{500, Match::kWithin, "transaction commit failed", Given::kNothing, Row::kLeadershipLost},
    TextRow{500, Match::kOnly, "internal error", Given::kNothing, Row::kLeadershipLost},
    // The same within the list that go-multierror makes of one error.
    TextRow{500, Match::kOnly, "1 error occurred:\n\t* internal error\n\n", Given::kNothing, Row::kLeadershipLost},
};

// The errors of a Vault error object, {"errors":[...]} and nothing else; null for any other body.
const nlohmann::json* errors_of(const nlohmann::json& body) {
  if (!body.is_object() || body.size() != 1) return nullptr;
  const auto errors = body.find("errors");
  if (errors == body.end() || !errors->is_array()) return nullptr;
  const bool all_texts = std::all_of(errors->begin(), errors->end(), [](const auto& e) { return e.is_string(); });
  return all_texts ? &*errors : nullptr;
}

bool matches(const TextRow& row, int status, const nlohmann::json& errors) {
  if (row.status != status) return false;
  const auto text_of = [](const nlohmann::json& error) -> const std::string& {
    return error.get_ref<const std::string&>();
  };
  if (row.match == Match::kOnly) return errors.size() == 1 && text_of(errors.front()) == row.text;
  return std::any_of(errors.begin(), errors.end(),
                     [&](const nlohmann::json& error) { return text_of(error).find(row.text) != std::string::npos; });
}

bool was_kept_from_forwarding(const Attempt& attempt) {
  return attempt.forbade_forwarding && !attempt.has_performance_standbys && attempt.role != Role::kPerformanceStandby;
}

// The row of a refusal after which the request may be sent again, if nothing but storage was touched before it.
Row unless_it_acted(Row refused, Effect effect, Row acted) {
  switch (effect) {
    case Effect::kStorage:
      return refused;
    case Effect::kByMount:
      return Row::kUnknownMount;
    case Effect::kOutside:
      return acted;
  }
  return acted;
}

// A node that does not lead refuses at once, or only when it comes to write (FACTS.md 3).
Row refused_without_lead(Row refused, const Attempt& attempt) {
  if (!was_kept_from_forwarding(attempt)) return Row::kMaybeForwarded;
  switch (attempt.conduct) {
    case StandbyConduct::kRefusesFirst:
      return refused;
    case StandbyConduct::kActsFirst:
      return unless_it_acted(refused, attempt.effect, Row::kMaybeActed);
    case StandbyConduct::kUnknown:
      return Row::kMaybeActed;
  }
  return Row::kMaybeActed;
}

Row refused_when_sealed(const Attempt& attempt) {
  // A node that was sealed before says so before it looks at the request.
  if (attempt.role == Role::kSealed || attempt.role == Role::kUninitialized) return Row::kSealed;
  const bool is_known = was_kept_from_forwarding(attempt) && attempt.conduct != StandbyConduct::kUnknown;
  return is_known ? unless_it_acted(Row::kSealed, attempt.effect, Row::kSealedMidway) : Row::kSealedMidway;
}

Row judge_text(const Attempt& attempt, const Answer& answer) {
  const nlohmann::json body = parse_json(answer.body);
  const nlohmann::json* errors = errors_of(body);
  if (errors == nullptr) return Row::kNodeError;
  const auto found = std::find_if(kTexts.begin(), kTexts.end(),
                                  [&](const TextRow& row) { return matches(row, answer.status, *errors); });
  if (found == kTexts.end()) return Row::kNodeError;
  switch (found->given) {
    case Given::kNothing:
      return found->row;
    case Given::kNoLeader:
      return refused_without_lead(found->row, attempt);
    case Given::kSealed:
      return refused_when_sealed(attempt);
  }
  return found->row;
}

// A redirect within the cluster is absolute and repeats the request's path (FACTS.md 4); those of the UI and the mux
// are path-only, and a plugin's, which comes after execution, leads elsewhere.
Row judge_redirect(const Attempt& attempt, const Answer& answer) {
  const auto url = parse_absolute_url(answer.location.value_or(std::string_view{}));
  if (!url || !is_same_path(url->path, attempt.path)) return Row::kOtherRedirect;
  const Row redirected = names_one_of(*url, attempt.node_urls) ? Row::kRedirectedToItself : Row::kRedirected;
  return is_always_redirected(attempt.path) ? redirected : refused_without_lead(redirected, attempt);
}

// A performance standby may have run the first part of a request before it found that it must not (FACTS.md 3).
Row doubted(Row row, const Attempt& attempt) {
  const Verdict verdict = verdict_of(row);
  const bool is_proof = verdict == Verdict::kProof || verdict == Verdict::kAgainHere || verdict == Verdict::kAskMount;
  const bool may_be_partial = attempt.role == Role::kPerformanceStandby && !is_always_redirected(attempt.path);
  return is_proof && may_be_partial ? Row::kMaybeForwarded : row;
}

Row judge_undoubted(const Attempt& attempt, const Answer& answer) {
  if (answer.index_not_reached) return Row::kIndexNotReached;
  const bool is_of_removed = answer.status == 500 || answer.status == 503 || answer.status == 530;
  if (attempt.role == Role::kRemoved && is_of_removed) return Row::kRemoved;
  switch (answer.status) {
    case 307:
      return judge_redirect(attempt, answer);
    case 500:
    case 503:
      return judge_text(attempt, answer);
    case 530:
      return Row::kMaybeRemoved;
  }
  return answer.status < 500 ? Row::kAnswered : Row::kNodeError;
}

}  // namespace

std::string first_error(std::string_view text) {
  constexpr std::size_t kMostShown = 200;
  const nlohmann::json body = parse_json(text);
  const nlohmann::json* errors = errors_of(body);
  if (errors == nullptr || errors->empty()) return {};
  return printable(errors->front().get_ref<const std::string&>(), kMostShown);
}

Verdict verdict_of(Row row) {
  switch (row) {
    case Row::kAnswered:
    case Row::kOtherRedirect:
    case Row::kNamespaceClosed:
    case Row::kOverloaded:
    case Row::kNodeError:
      return Verdict::kPassOn;
    case Row::kNotConnected:
    case Row::kNothingSent:
    case Row::kRedirected:
    case Row::kNotActive:
    case Row::kNoActiveFound:
    case Row::kSealed:
    case Row::kCanceledEarly:
    case Row::kRemoved:
    case Row::kIndexNotReached:
      return Verdict::kProof;
    case Row::kRedirectedToItself:
      return Verdict::kAgainHere;
    case Row::kUnknownMount:
      return Verdict::kAskMount;
    case Row::kMaybeForwarded:
    case Row::kMaybeActed:
    case Row::kSealedMidway:
    case Row::kLeadershipLost:
    case Row::kMaybeRemoved:
    case Row::kCut:
    case Row::kCutInAnswer:
    case Row::kNoAnswer:
    case Row::kUnreadableAnswer:
    case Row::kUnconfirmed:
      return Verdict::kAmbiguous;
  }
  return Verdict::kAmbiguous;
}

bool needs_body(int status) { return status == 500 || status == 503; }

Row judge(const Attempt& attempt, const Answer& answer) { return doubted(judge_undoubted(attempt, answer), attempt); }

Row judge(const Transport& transport) {
  if (transport.failure == Failure::kNotConnected) return Row::kNotConnected;
  if (transport.sent == 0) return Row::kNothingSent;
  switch (transport.failure) {
    case Failure::kNotConnected:
      return Row::kNotConnected;
    case Failure::kEnded:
      return transport.received > 0 ? Row::kCutInAnswer : Row::kCut;
    case Failure::kTimedOut:
      return Row::kNoAnswer;
    case Failure::kBadAnswer:
      return Row::kUnreadableAnswer;
  }
  return Row::kCut;
}

}  // namespace bellwether::vault
