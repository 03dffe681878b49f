#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "answer_text.h"
#include "app/drill/drill.h"
#include "ask.h"
#include "bellwether/base/visible.h"
#include "bellwether/http/serialize.h"
#include "bellwether/net/tls.h"
#include "bellwether/vault/health.h"
#include "commands.h"
#include "drill_client.h"
#include "read_text.h"
#include "write_text.h"

namespace bellwether::app {
namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr Duration kBefore = 1s;        // of asking, to see that all is well
constexpr Duration kAfter = 2s;         // of asking, once there is another leader
constexpr Duration kAskAgain = 50ms;    // who leads
constexpr Duration kLongestHold = 60s;  // what a held request may wait for its answer
constexpr std::size_t kMaxTokenBytes = 8 * 1024;

// What /status says of who leads.
struct Lead {
  std::string leader;  // empty: nobody, or it is in doubt
  std::uint64_t epoch = 0;
  int candidates = 0;
  std::string trouble;  // why no drill should begin now; empty: nothing
};

Lead lead_of(const Json& status) {
  Lead lead;
  const Json& leader = part_of(status, "leader");
  lead.epoch = static_cast<std::uint64_t>(number_of(status, "epoch"));
  lead.candidates = static_cast<int>(number_of(status, "takeover_candidates"));
  if (!leader.is_object()) {
    lead.trouble = "no node leads";
  } else if (flag_of(status, "suspect")) {
    lead.trouble = "the leader has gone quiet";
  } else if (!text_of(status, "conflict").empty()) {
    lead.trouble = "two nodes claim to lead";
  } else {
    lead.leader = text_of(leader, "name");
    if (!text_of(status, "paused_until").empty()) lead.trouble = "it is paused: `bellwether resume` ends that";
    if (lead.candidates == 0) lead.trouble = "no standby could take over: `bellwether status` shows what they lack";
  }
  return lead;
}

Result<std::string> read_vault_token(const std::string& file) {
  auto token = read_text(file, kMaxTokenBytes, "a token");
  if (!token) return token;
  while (token->ends_with('\n') || token->ends_with('\r')) token->pop_back();
  const auto is_visible = [](char c) { return c > ' ' && c < '\x7f'; };
  if (token->empty() || !std::all_of(token->begin(), token->end(), is_visible)) {
    return fail(ErrorKind::kInvalid, for_people(file) + " must hold one token on one line");
  }
  return token;
}

// One drill, step by step; each prints what a person needs to know of it.
class Rehearsal {
 public:
  Rehearsal(net::Loop& loop, const RehearseOptions& options) : loop_(loop), options_(options) {}

  Result<void> go() {
    if (auto ready = look(); !ready) return ready;
    auto target = find_target();
    if (!target) return tl::unexpected(target.error());
    client_.emplace(loop_, std::move(*target));
    if (auto fine = ask_before(); !fine) return fine;
    if (auto ordered = order_step_down(); !ordered) return ordered;
    auto changed = wait_for_change();
    finish();
    return changed;
  }

  [[nodiscard]] bool has_begun() const { return ordered_.has_value(); }
  [[nodiscard]] drill::Result result() const { return drill::result_of(client_->askings()); }
  [[nodiscard]] OrderedJson json() const;
  [[nodiscard]] std::string picture() const {
    std::vector<drill::Mark> marks{{*ordered_, before_.leader + " was told to step down"}};
    if (elected_) marks.push_back({*elected_, after_.leader + " leads"});
    return drill::picture_of(client_->askings(), marks,
                             fmt::format("{}: {} requests, {} failed, longest wait {}", via_, result().asked,
                                         result().failed, span_text(to_seconds(result().longest_wait))));
  }
  void tell() const;

 private:
  [[nodiscard]] Result<Json> admin(const std::string& path) {
    const auto answer = ask_admin(loop_, options_.admin, path_of(options_.cluster, path));
    if (!answer) return tl::unexpected(answer.error());
    Json json = Json::parse(*answer, nullptr, false);
    if (!json.is_object()) return fail(ErrorKind::kProtocol, "the answer is not Bellwether's " + path);
    if (part_of(json, "clusters").is_array()) {
      return fail(ErrorKind::kInvalid, "it has several clusters: --cluster names the one that is meant");
    }
    return json;
  }

  Result<void> look() {
    auto status = admin("/status");
    if (!status) return tl::unexpected(status.error());
    status_ = std::move(*status);
    before_ = lead_of(status_);
    if (!before_.trouble.empty()) return fail(ErrorKind::kUnavailable, "not now: " + before_.trouble);
    if (options_.token_file.empty()) return {};
    auto token = read_vault_token(options_.token_file);
    if (!token) return tl::unexpected(token.error());
    token_ = std::move(*token);
    return {};
  }

  // --via, or the first listener of the process that a client can speak HTTP through.
  Result<std::string> choose_via() const {
    if (!options_.via.empty()) return options_.via;
    const Json& listeners = part_of(status_, "listeners");
    const bool have_nodes_tls = text_of(part_of(status_, "leader"), "url").starts_with("https:");
    for (const Json& each : listeners.is_array() ? listeners : Json::array()) {
      const std::string text = each.is_string() ? each.get<std::string>() : std::string();
      const std::size_t end = text.find(' ');
      auto address = net::Address::parse(text.substr(0, end));
      if (end == std::string::npos || !address || address->is_unix()) continue;
      const std::string mode = text.substr(end + 1);
      if (mode.starts_with("redirect")) continue;
      const bool is_tls = mode.starts_with("tcp") ? have_nodes_tls : mode != "http";
      const std::string at = address->host() == "0.0.0.0" ? fmt::format("127.0.0.1:{}", address->port())
                             : address->host() == "::"    ? fmt::format("[::1]:{}", address->port())
                                                          : address->to_string();
      return fmt::format("{}://{}", is_tls ? "https" : "http", at);
    }
    return fail(ErrorKind::kInvalid, "no http or tcp listener was found: --via names the URL that clients use");
  }

  Result<DrillTarget> find_target() {
    auto via = choose_via();
    if (!via) return tl::unexpected(via.error());
    via_ = std::move(*via);
    const auto origin = vault::api_origin(via_);
    if (!origin) return fail(ErrorKind::kInvalid, for_people(via_) + " is no URL such as https://127.0.0.1:8200");
    const auto address = find_address(loop_, fmt::format("{}:{}", origin->host, origin->port));
    if (!address) return tl::unexpected(address.error());
    DrillTarget target;
    target.connection.address = *address;
    target.connection.answer_timeout = kLongestHold;
    target.host = fmt::format("{}:{}", origin->host, origin->port);
    target.token = token_;
    if (via_.starts_with("https:")) {
      net::TlsClientOptions tls;
      tls.ca_file = options_.ca_file;
      auto context = net::TlsContext::client(tls);
      if (!context) return tl::unexpected(context.error());
      target.connection.connect.tls = std::move(*context);
      target.connection.connect.server_name = options_.server_name.empty() ? origin->host : options_.server_name;
    }
    connection_ = target.connection;
    host_ = target.host;
    return target;
  }

  Result<void> ask_before() {
    fmt::print(stderr, "{} leads, and {} could take over; asking {} {} times a second\n", for_people(before_.leader),
               before_.candidates == 1 ? "one standby" : fmt::format("{} standbys", before_.candidates),
               for_people(via_), 1s / DrillClient::kPace);
    (void)loop_.run_until([] { return false; }, kBefore);
    const drill::Result seen = result();
    if (seen.asked > 0 && seen.failed == 0) return {};
    const std::string why = seen.asked == 0 ? "no request was answered" : seen.failures.begin()->first;
    return fail(ErrorKind::kUnavailable,
                fmt::format("clients are not served before anything was done: {}{}{}", for_people(why),
                            why == "status 403" ? "; may the token be used?" : "",
                            via_.starts_with("https:") ? " (--ca-file, --server-name)" : ""));
  }

  Result<void> order_step_down() {
    ordered_ = loop_.precise_now();
    time_ = std::chrono::system_clock::now();
    if (token_.empty()) {
      fmt::print(stderr,
                 "now let {} step down (`vault operator step-down`, `bao operator step-down`); waiting for {}\n",
                 for_people(before_.leader), format_duration(options_.within));
      return {};
    }
    http::Request request;
    request.method = "PUT";
    request.target = "/v1/sys/step-down";
    request.host = host_;
    request.headers.push_back({"X-Vault-Token", token_});
    wire::Client client(loop_, connection_);
    std::optional<tl::expected<wire::Reply, wire::ExchangeError>> end;
    client.send(http::serialize(request), request.method, [&](auto reply) { end = std::move(reply); });
    if (!loop_.run_until([&] { return end.has_value(); }, options_.within)) {
      return fail(ErrorKind::kTimeout, "the order to step down gets no answer");
    }
    if (!*end) return fail(ErrorKind::kUnavailable, "the order to step down: " + end->error().message);
    if ((*end)->status != 204 && (*end)->status != 200) {
      return fail(ErrorKind::kUnavailable, fmt::format("the order to step down was answered {}: the token needs "
                                                       "`sudo` on sys/step-down",
                                                       (*end)->status));
    }
    fmt::print(stderr, "{} was told to step down\n", for_people(before_.leader));
    return {};
  }

  Result<void> wait_for_change() {
    const TimePoint deadline = *ordered_ + options_.within;
    while (loop_.precise_now() < deadline) {
      if (const auto status = admin("/status")) {
        after_ = lead_of(*status);
        if (after_.epoch != before_.epoch && !after_.leader.empty()) {
          elected_ = loop_.precise_now();
          (void)loop_.run_until([] { return false; }, kAfter);
          return {};
        }
      }
      (void)loop_.run_until([] { return false; }, kAskAgain);
    }
    return fail(ErrorKind::kTimeout,
                fmt::format("{} still leads after {}", for_people(before_.leader), format_duration(options_.within)));
  }

  // What is under way is waited for.
  void finish() {
    client_->stop();
    (void)loop_.run_until([this] { return !client_->is_busy(); }, kLongestHold);
    const auto record = admin("/failovers");
    if (!record || !elected_) return;
    for (const Json& each : part_of(*record, "failovers")) {
      if (each.is_object() && number_of(each, "epoch_to") == static_cast<double>(after_.epoch)) failover_ = each;
    }
  }

  net::Loop& loop_;
  const RehearseOptions& options_;
  Json status_;
  Json failover_;  // as Bellwether saw it; null: it has no record of it
  std::string token_;
  std::string via_;
  std::string host_;
  wire::Client::Options connection_;
  Lead before_;
  Lead after_;
  std::optional<TimePoint> ordered_;
  std::optional<TimePoint> elected_;
  WallTime time_{};
  std::optional<DrillClient> client_;
};

OrderedJson Rehearsal::json() const {
  const drill::Result seen = result();
  OrderedJson failures = OrderedJson::object();
  for (const auto& [what, times] : seen.failures) failures[what] = times;
  return {{"time", format_utc(time_)},
          {"via", via_},
          {"ordered_by", token_.empty() ? "operator" : "token"},
          {"from", before_.leader},
          {"to", elected_ ? OrderedJson(after_.leader) : OrderedJson(nullptr)},
          {"epoch_from", before_.epoch},
          {"epoch_to", elected_ ? OrderedJson(after_.epoch) : OrderedJson(nullptr)},
          {"client",
           {{"asked", seen.asked},
            {"failed", seen.failed},
            {"failures", failures},
            {"longest_wait_ms", to_millis(seen.longest_wait)},
            {"longest_silence_ms", to_millis(seen.longest_silence)}}},
          {"failover", OrderedJson::parse(failover_.dump(-1, ' ', false, Json::error_handler_t::replace))}};
}

void Rehearsal::tell() const {
  const drill::Result seen = result();
  if (elected_) {
    fmt::print("{} leads after {} (epoch {})\n", for_people(after_.leader), for_people(before_.leader), after_.epoch);
  }
  fmt::print("asked {}, failed {}; longest wait {}, longest time without an answer {}\n", seen.asked, seen.failed,
             span_text(to_seconds(seen.longest_wait)), span_text(to_seconds(seen.longest_silence)));
  for (const auto& [what, times] : seen.failures) fmt::print("  {} times: {}\n", times, for_people(what));
  if (!failover_.is_object()) return;
  const Json& moments = part_of(failover_, "ms_from_sign");
  fmt::print(
      "Bellwether saw: {}; from the first sign to the election {}, to the first success {}; held {:.0f}, sent "
      "again {:.0f}\n",
      for_people(text_of(failover_, "sign")), span_text(number_of(moments, "elected") / 1000),
      span_text(number_of(moments, "first_success") / 1000), number_of(failover_, "held"),
      number_of(failover_, "retried"));
}

int failed(const std::string& why) {
  fmt::print(stderr, "bellwether rehearse: {}\n", why);
  return kExitFailed;
}

Result<void> store(const Rehearsal& rehearsal, const RehearseOptions& options) {
  if (!options.out.empty()) {
    const std::string text = rehearsal.json().dump(2, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
    if (auto written = write_text(options.out, text, options.force); !written) return written;
  }
  if (options.picture.empty()) return {};
  return write_text(options.picture, rehearsal.picture(), options.force);
}

}  // namespace

int rehearse_command(const RehearseOptions& options) {
  const auto loop = net::Loop::create({.precise_timers = true});
  if (!loop) return failed(loop.error().message);
  for (const std::string& file : {options.out, options.picture}) {
    if (file.empty()) continue;
    if (const auto fine = may_write(file, options.force); !fine) return failed(fine.error().message);
  }
  Rehearsal rehearsal(**loop, options);
  const auto done = rehearsal.go();
  if (!rehearsal.has_begun()) return failed(done.error().message);
  if (options.json) {
    fmt::print("{}\n", rehearsal.json().dump(2, ' ', false, OrderedJson::error_handler_t::replace));
  } else {
    rehearsal.tell();
  }
  if (auto stored = store(rehearsal, options); !stored) return failed(stored.error().message);
  if (!done) return failed(done.error().message);
  return rehearsal.result().failed == 0 ? kExitFine : kExitFailed;
}

}  // namespace bellwether::app
