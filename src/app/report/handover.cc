#include "handover.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "bellwether/base/nesting.h"
#include "bellwether/base/visible.h"

namespace bellwether::app {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kFormat = "bellwether-handover-1";
constexpr std::size_t kMostNesting = 16;
constexpr std::size_t kMostText = 1024;
constexpr std::size_t kMostClusters = 1024;
constexpr std::size_t kMostNodes = 1024;
constexpr std::uint64_t kMostCount = std::uint64_t{1} << 53;  // beyond, a scrape's doubles leave some out
constexpr Duration kLongest = 24h * 365 * 10;
constexpr Duration kOldest = 1h;  // an upgrade takes ten minutes at most
constexpr int kMostQuestions = 100;
constexpr std::size_t kAdminStates = 3;

// Of nodes that this process has not, or not placed yet. Two of them, for the same may not be before and after.
constexpr NodeId kElsewhere{std::numeric_limits<std::uint32_t>::max()};
constexpr NodeId kAlsoElsewhere{std::numeric_limits<std::uint32_t>::max() - 1};

// What is written and what is read are the same fields: describe() of a type names each of them once, for a Writer and
// for a Reader.

class Writer {
 public:
  template <typename Value>
  void operator()(const char* key, Value& value) {
    json_[key] = json_of(value);
  }
  template <typename Value>
  void operator()(const char* key, std::optional<Value>& value) {
    if (value) json_[key] = json_of(*value);
  }
  void node(const char* key, std::optional<NodeId>& id, std::string& name) {
    if (id) json_[key] = name;
  }
  void later(const char* key, TimePoint& moment) {
    if (moment != kNever) json_[key] = json_of(moment);
  }
  void later(const char* key, std::optional<TimePoint>& moment) { (*this)(key, moment); }
  [[nodiscard]] Json take() { return std::move(json_); }

 private:
  static Json json_of(bool value) { return value; }
  static Json json_of(int value) { return value; }
  static Json json_of(double value) { return value; }
  static Json json_of(std::uint64_t value) { return value; }
  static Json json_of(std::string& value) { return value; }
  static Json json_of(TimePoint value) { return value.time_since_epoch().count(); }
  static Json json_of(Duration value) { return value.count(); }
  static Json json_of(cluster::Role value) { return to_text(value); }
  static Json json_of(cluster::AdminState value) { return to_text(value); }
  static Json json_of(cluster::FailoverCause value) { return to_text(value); }
  template <typename Value>
  static Json json_of(std::vector<Value>& values) {
    Json list = Json::array();
    for (Value& each : values) list.push_back(json_of(each));
    return list;
  }
  template <std::size_t Count>
  static Json json_of(std::array<std::uint64_t, Count>& values) {
    return values;
  }
  template <typename Part>
  static Json json_of(Part& part) {
    Writer inner;
    describe(inner, part);
    return inner.take();
  }

  Json json_ = Json::object();
};

// Keeps the first problem, after which what was read is of no use.
class Reader {
 public:
  Reader(const Json& json, TimePoint now, std::string place, std::string& problem)
      : json_(json), now_(now), place_(std::move(place)), problem_(problem) {
    require(json.is_object(), "", "is no object");
  }

  template <typename Value>
  void operator()(const char* key, Value& value) {
    if (const Json* const found = find(key)) read(*found, key, value);
  }
  template <typename Value>
  void operator()(const char* key, std::optional<Value>& value) {
    if (const Json* const found = find(key)) read(*found, key, value.emplace());
  }
  void node(const char* key, std::optional<NodeId>& id, std::string& name) {
    const Json* const found = find(key);
    if (found == nullptr) return;
    read(*found, key, name);
    id = kElsewhere;
  }
  void later(const char* key, TimePoint& moment) {
    if (const Json* const found = find(key)) read_moment(*found, key, moment, now_ + kOldest);
  }
  void later(const char* key, std::optional<TimePoint>& moment) {
    if (const Json* const found = find(key)) read_moment(*found, key, moment.emplace(), now_ + kLongest);
  }
  void require(bool holds, std::string_view key, std::string_view otherwise) {
    if (holds || !problem_.empty()) return;
    problem_ = fmt::format("{}{}{} {}", place_, key.empty() || place_.empty() ? "" : ".", key, otherwise);
  }

 private:
  [[nodiscard]] const Json* find(const char* key) const {
    if (!problem_.empty()) return nullptr;
    const auto found = json_.find(key);
    return found == json_.end() ? nullptr : &*found;
  }

  void read(const Json& json, const char* key, bool& value) {
    require(json.is_boolean(), key, "is neither true nor false");
    if (json.is_boolean()) value = json.get<bool>();
  }
  void read(const Json& json, const char* key, std::uint64_t& value) { value = count_in(json, key, kMostCount); }
  void read(const Json& json, const char* key, int& value) {
    value = static_cast<int>(count_in(json, key, kMostQuestions));
  }
  void read(const Json& json, const char* key, double& value) {
    const double number = json.is_number() ? json.get<double>() : -1;
    const bool is_sum = std::isfinite(number) && number >= 0 && number <= static_cast<double>(kMostCount);
    require(is_sum, key, "is no sum of seconds");
    value = is_sum ? number : 0;
  }
  void read(const Json& json, const char* key, std::string& value) {
    require(json.is_string(), key, "is no text");
    if (json.is_string()) value = visible(json.get_ref<const std::string&>().substr(0, kMostText));
  }
  void read(const Json& json, const char* key, TimePoint& value) { read_moment(json, key, value, now_); }
  void read(const Json& json, const char* key, Duration& value) {
    value = Duration(static_cast<Duration::rep>(count_in(json, key, static_cast<std::uint64_t>(kLongest.count()))));
  }
  // A word that this version does not know is no reason to forget the rest.
  void read(const Json& json, const char* key, cluster::Role& value) {
    value = word_in<cluster::Role, cluster::kRoleCount>(json, key, cluster::Role::kUnknown);
  }
  void read(const Json& json, const char* key, cluster::FailoverCause& value) {
    using cluster::FailoverCause;
    value = word_in<FailoverCause, cluster::kFailoverCauseCount>(json, key, FailoverCause::kUnknown);
  }
  void read(const Json& json, const char* key, cluster::AdminState& value) {
    value = word_in<cluster::AdminState, kAdminStates>(json, key, cluster::AdminState::kReady);
  }
  void read(const Json& json, const char* key, std::vector<NodeHandover>& list) {
    read_list(json, key, kMostNodes, list);
  }
  void read(const Json& json, const char* key, std::vector<cluster::Failover>& list) {
    read_list(json, key, Timeline::kMost, list);
  }
  void read(const Json& json, const char* key, std::vector<ClusterHandover>& list) {
    read_list(json, key, kMostClusters, list);
  }
  // Fewer or more buckets are another version's.
  template <std::size_t Count>
  void read(const Json& json, const char* key, std::array<std::uint64_t, Count>& values) {
    require(json.is_array() && json.size() == Count, key, fmt::format("is no list of {}", Count));
    for (std::size_t i = 0; problem_.empty() && i < Count; ++i) values[i] = count_in(json[i], key, kMostCount);
  }
  template <typename Part>
  void read(const Json& json, const char* key, Part& part) {
    Reader inner(json, now_, place_of(key), problem_);
    if (problem_.empty()) describe(inner, part);
  }

  template <typename Value>
  void read_list(const Json& json, const char* key, std::size_t most, std::vector<Value>& list) {
    require(json.is_array() && json.size() <= most, key, fmt::format("is no list of {} at most", most));
    for (std::size_t i = 0; problem_.empty() && i < json.size(); ++i) {
      Reader inner(json[i], now_, fmt::format("{}[{}]", place_of(key), i), problem_);
      if (problem_.empty()) describe(inner, list.emplace_back());
    }
  }

  void read_moment(const Json& json, const char* key, TimePoint& moment, TimePoint latest) {
    const auto most = static_cast<std::uint64_t>(latest.time_since_epoch().count());
    moment = TimePoint(Duration(static_cast<Duration::rep>(count_in(json, key, most))));
  }

  std::uint64_t count_in(const Json& json, const char* key, std::uint64_t most) {
    const bool is_count = json.is_number_unsigned() && json.get<std::uint64_t>() <= most;
    require(is_count, key, fmt::format("is no number up to {}", most));
    return is_count ? json.get<std::uint64_t>() : 0;
  }

  template <typename Enum, std::size_t Count>
  Enum word_in(const Json& json, const char* key, Enum otherwise) {
    require(json.is_string(), key, "is no word");
    for (std::size_t i = 0; json.is_string() && i < Count; ++i) {
      if (to_text(static_cast<Enum>(i)) == json.get_ref<const std::string&>()) return static_cast<Enum>(i);
    }
    return otherwise;
  }

  [[nodiscard]] std::string place_of(const char* key) const {
    return place_.empty() ? key : fmt::format("{}.{}", place_, key);
  }

  const Json& json_;
  const TimePoint now_;
  const std::string place_;  // "clusters[0].failovers[3]"; empty: the whole
  std::string& problem_;
};

template <typename Fields>
void describe(Fields& fields, cluster::FailoverTraffic& of) {
  fields("held", of.held);
  fields("retried", of.retried);
  fields("failed", of.failed);
  fields("cut", of.cut);
  fields("moved_idle", of.moved_idle);
  fields("moved_at_request", of.moved_at_request);
  fields("moved_after_answer", of.moved_after_answer);
  fields("moved_at_deadline", of.moved_at_deadline);
}

template <typename Fields>
void describe(Fields& fields, cluster::Failover& of) {
  fields("cause", of.cause);
  fields("is_open", of.is_open);
  fields("epoch_from", of.epoch_from);
  fields("epoch_to", of.epoch_to);
  fields.node("from", of.from, of.from_name);
  fields.node("to", of.to, of.to_name);
  fields("last_good", of.last_good);
  fields("first_sign", of.first_sign);
  fields("sign", of.sign);
  fields("demoted", of.demoted);
  fields("demoted_to", of.demoted_to);
  fields("elected", of.elected);
  fields("first_success", of.first_success);
  fields("heard_again", of.heard_again);
  fields("leaderless", of.leaderless);
  fields("traffic", of.traffic);
}

template <typename Fields>
void describe(Fields& fields, cluster::FailoverEvidence& of) {
  fields("was_taken_out", of.was_taken_out);
  fields("was_cut", of.was_cut);
  fields("had_no_route", of.had_no_route);
  fields("peers_were_gone", of.peers_were_gone);
  fields("voters_missing_since", of.voters_missing_since);
  fields("voters_were_missing", of.voters_were_missing);
  fields("voters_are_back", of.voters_are_back);
  fields("knows_successor", of.knows_successor);
  fields("claimed_on_since", of.claimed_on_since);
  fields("claimed_on", of.claimed_on);
  fields("named_at_first", of.named_at_first);
  fields("went_away", of.went_away);
  fields("questions", of.questions);
  fields.later("next_question", of.next_question);
}

template <typename Fields>
void describe(Fields& fields, cluster::OpenFailover& of) {
  fields("failover", of.failover);
  fields("evidence", of.evidence);
}

template <typename Fields>
void describe(Fields& fields, PhaseCounts& of) {
  fields("buckets", of.buckets);
  fields("sum_seconds", of.sum_s);
}

template <typename Fields>
void describe(Fields& fields, FailoverCounts& of) {
  for (std::size_t i = 0; i < cluster::kFailoverCauseCount; ++i) {
    fields(std::string(to_text(static_cast<cluster::FailoverCause>(i))).c_str(), of.by_cause[i]);
  }
  fields("detect", of.detect);
  fields("elect", of.elect);
  fields("first_success", of.first_success);
}

template <typename Fields>
void describe(Fields& fields, TallyHandover& of) {
  fields("leader_changes", of.leader_changes);
  fields("two_leaders", of.two_leaders);
  fields("foreign_nodes", of.foreign_nodes);
  fields("leaderless", of.leaderless);
  fields.node("led_before", of.led_before, of.led_before_name);
}

template <typename Fields>
void describe(Fields& fields, NodeHandover& of) {
  fields("name", of.name);
  fields("admin", of.admin);
}

template <typename Fields>
void describe(Fields& fields, ClusterHandover& of) {
  fields("name", of.name);
  fields("epoch", of.epoch);
  fields("leader", of.leader);
  fields("leader_url", of.leader_url);
  fields("since", of.since);
  fields("is_over", of.is_over);
  fields("tally", of.tally);
  fields("failovers", of.failovers.ended);
  fields("going_on", of.failovers.open.going_on);
  fields("watched", of.failovers.open.watched);
  fields("failover_counts", of.failovers.counts);
  fields("taken_out", of.taken_out);
  fields.later("paused_until", of.paused_until);
}

template <typename Fields>
void describe(Fields& fields, Handover& of) {
  fields("written", of.written);
  fields("clusters", of.clusters);
}

// What the recorder takes for granted of records.

bool is_ended_record(const cluster::Failover& one) { return !one.is_open && (!one.changed_leader() || one.elected); }

bool is_going_on(const cluster::Failover& one) {
  return one.is_open && one.from && !one.to && !one.elected && one.epoch_to == 0;
}

bool is_watched(const cluster::Failover& one) { return one.is_open && one.to && one.elected; }

void check(const ClusterHandover& of, Reader& whole) {
  const auto is_of_its_epochs = [&](const cluster::Failover& one) {
    return one.epoch_from <= of.epoch && one.epoch_to <= of.epoch;
  };
  const auto require = [&](bool holds, std::string_view what) {
    whole.require(holds, "clusters", fmt::format("has {} that cannot be", what));
  };
  for (const cluster::Failover& each : of.failovers.ended) {
    require(is_ended_record(each) && is_of_its_epochs(each), "a failover");
  }
  const cluster::OpenFailovers& open = of.failovers.open;
  if (open.going_on) {
    const cluster::Failover& one = open.going_on->failover;
    require(is_going_on(one) && is_of_its_epochs(one), "a failover that goes on");
  }
  if (open.watched) {
    const cluster::Failover& one = open.watched->failover;
    require(is_watched(one) && is_of_its_epochs(one), "a failover that is watched");
  }
  require((of.epoch == 0) == of.leader.empty(), "an epoch");
}

std::optional<NodeId> placed(const std::optional<NodeId>& node, const std::string& name,
                             const cluster::Topology& topology, NodeId otherwise) {
  if (!node) return std::nullopt;
  return topology.named(name).value_or(otherwise);
}

void place(cluster::Failover& failover, const cluster::Topology& topology) {
  const bool is_same = failover.from && failover.to && failover.from_name == failover.to_name;
  failover.from = placed(failover.from, failover.from_name, topology, kElsewhere);
  failover.to = placed(failover.to, failover.to_name, topology, is_same ? kElsewhere : kAlsoElsewhere);
}

}  // namespace

std::optional<cluster::FormerLead> ClusterHandover::former_lead(const cluster::Topology& topology) const {
  if (epoch == 0) return std::nullopt;
  cluster::FormerLead former{.epoch = epoch, .node = {}, .name = leader, .since = since, .is_over = is_over};
  const std::optional<NodeId> node = topology.named(leader);
  if (node && topology.nodes.at(*node).url == leader_url) former.node = node;
  return former;
}

cluster::AdminState ClusterHandover::admin_state_of(std::string_view node) const {
  const auto found =
      std::find_if(taken_out.begin(), taken_out.end(), [&](const NodeHandover& each) { return each.name == node; });
  return found == taken_out.end() ? cluster::AdminState::kReady : found->admin;
}

ClusterHandover ClusterHandover::placed_in(const cluster::Topology& topology) const {
  ClusterHandover here = *this;
  here.tally.led_before = placed(tally.led_before, tally.led_before_name, topology, kElsewhere);
  for (cluster::Failover& each : here.failovers.ended) place(each, topology);
  for (auto* open : {&here.failovers.open.going_on, &here.failovers.open.watched}) {
    if (*open) place((*open)->failover, topology);
  }
  return here;
}

const ClusterHandover* Handover::find(std::string_view cluster) const {
  const auto found =
      std::find_if(clusters.begin(), clusters.end(), [&](const ClusterHandover& each) { return each.name == cluster; });
  return found == clusters.end() ? nullptr : &*found;
}

std::string handover_text(const Handover& handover) {
  Handover copy = handover;
  Writer writer;
  describe(writer, copy);
  Json json = writer.take();
  json["format"] = kFormat;
  json["process"] = handover.process;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<Handover> parse_handover(std::string_view text, TimePoint now) {
  const auto refused = [](std::string_view why) { return fail(ErrorKind::kInvalid, std::string(why)); };
  if (text.size() > kMaxHandover) return refused("it is too long");
  if (nests_deeper_than(kMostNesting, text)) return refused("it nests too deep");
  const Json json = Json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return refused("it is no JSON object");
  if (json.value("format", Json()) != kFormat) return refused(fmt::format("its format is not {}", kFormat));
  const Json process = json.value("process", Json());
  constexpr std::uint64_t kMostProcess = std::numeric_limits<std::int32_t>::max();
  if (!process.is_number_unsigned() || process.get<std::uint64_t>() > kMostProcess) {
    return refused("process is no number of a process");
  }
  Handover read;
  read.process = process.get<pid_t>();
  std::string problem;
  Reader reader(json, now, "", problem);
  describe(reader, read);
  for (const ClusterHandover& each : read.clusters) check(each, reader);
  if (now - read.written > kOldest) reader.require(false, "written", "is too long ago");
  if (!problem.empty()) return refused(problem);
  return read;
}

}  // namespace bellwether::app
