#include "keywords.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "bellwether/base/visible.h"

namespace bellwether::app::migration {
namespace {

constexpr std::string_view kUnit = "the systemd unit of the package does this: user, limits and hardening are there";
constexpr std::string_view kLibrary =
    "ciphers and curves are those that OpenSSL takes by itself, with TLS 1.2 at least";
constexpr std::string_view kRules =
    "Bellwether has no rules for requests: let a policy or a quota of Vault say it, or keep HAProxy in front for it";
constexpr std::string_view kSticky = "it is not needed: there is one leader, and every client is sent to it";
constexpr std::string_view kLogText =
    "the form of log lines is fixed: log_format \"json\" has a field for each value, see README.md, Logs";
constexpr std::string_view kConnectionUse =
    "connections are kept alive on both sides, and are told to end where their node no longer leads";

bool matches(std::string_view pattern, std::string_view text) {
  if (pattern.back() != '*') return pattern == text;
  return text.substr(0, pattern.size() - 1) == pattern.substr(0, pattern.size() - 1);
}

const Keyword* find(const std::vector<Keyword>& table, std::string_view words) {
  const auto found =
      std::find_if(table.begin(), table.end(), [&](const Keyword& each) { return matches(each.words, words); });
  return found == table.end() ? nullptr : &*found;
}

}  // namespace

const std::vector<Keyword>& global_keywords() {
  static const std::vector<Keyword> all = {
      {"maxconn"},
      {"nbthread"},
      {"hard-stop-after"},
      {"ca-base"},
      {"crt-base"},
      {"ssl-server-verify"},
      {"ssl-default-bind-options"},
      {"log", Fate::kNote, "Bellwether logs to standard error, which systemd's journal keeps"},
      {"log-tag", Fate::kQuiet},
      {"log-send-hostname", Fate::kQuiet},
      {"daemon", Fate::kQuiet},
      {"user", Fate::kNote, kUnit},
      {"group", Fate::kNote, kUnit},
      {"uid", Fate::kNote, kUnit},
      {"gid", Fate::kNote, kUnit},
      {"chroot", Fate::kNote, kUnit},
      {"ulimit-n", Fate::kNote, "the limit of file descriptors is raised by itself, as far as the system lets it"},
      {"pidfile", Fate::kQuiet},
      {"master-worker", Fate::kNote, "`bellwether upgrade` and `bellwether reload` replace program and settings"},
      {"stats socket", Fate::kNote,
       "the control socket has its place by itself; `bellwether status` and its kin use it"},
      {"stats *", Fate::kQuiet},
      {"nbproc", Fate::kNote, "one process with `threads` does the work"},
      {"cpu-map", Fate::kNote, "the unit's CPUAffinity= says on which cores the process may run"},
      {"tune.*", Fate::kNote, "it tunes HAProxy's inside; Bellwether's buffers and limits are in conf/REFERENCE.md"},
      {"spread-checks", Fate::kNote, "probes are spread by themselves"},
      {"ssl-default-server-options", Fate::kNote, kLibrary},
      {"ssl-default-bind-cipher*", Fate::kNote, kLibrary},
      {"ssl-default-server-cipher*", Fate::kNote, kLibrary},
      {"ssl-default-bind-curves", Fate::kNote, kLibrary},
      {"ssl-dh-param-file", Fate::kNote, kLibrary},
      {"ssl-load-extra-*", Fate::kNote, "a key beside its certificate is named in the new file"},
      {"setenv", Fate::kQuiet},
      {"presetenv", Fate::kQuiet},
      {"unsetenv", Fate::kQuiet},
      {"resetenv", Fate::kQuiet},
      {"node", Fate::kQuiet},
      {"description", Fate::kQuiet},
      {"localpeer", Fate::kQuiet},
      {"default-path", Fate::kNote, "relative file names count from the directory in which Bellwether is started"},
      {"no *", Fate::kQuiet},
      {"noepoll", Fate::kQuiet},
      {"quiet", Fate::kQuiet},
      {"expose-*", Fate::kQuiet},
      {"insecure-*", Fate::kQuiet},
      {"external-check", Fate::kLost, "Bellwether runs no programs: it asks each node /v1/sys/health itself"},
      {"lua-*", Fate::kLost, "Bellwether runs no Lua"},
      {"server-state-*", Fate::kNote, "states that operators give to nodes are kept by no file"},
  };
  return all;
}

const std::vector<Keyword>& proxy_keywords() {
  static const std::vector<Keyword> all = {
      {"mode"},
      {"bind"},
      {"server"},
      {"default-server"},
      {"server-template"},
      {"default_backend"},
      {"use_backend"},
      {"acl", Fate::kQuiet},  // what uses it tells
      {"maxconn"},
      {"timeout connect"},
      {"timeout client"},
      {"timeout server"},
      {"timeout check"},
      {"timeout http-request"},
      {"timeout tunnel"},
      {"timeout http-keep-alive", Fate::kNote,
       "timeout_idle covers it: a shorter one would also end bodies and streams that pause"},
      {"timeout queue", Fate::kNote,
       "nodes have no queues; hold_timeout_tcp (9s) and hold_timeout_http (30s) say how long clients wait for a "
       "leader"},
      {"timeout client-fin", Fate::kNote, "half-closed connections end with timeout_idle"},
      {"timeout server-fin", Fate::kNote, "half-closed connections end with timeout_idle"},
      {"timeout tarpit", Fate::kQuiet},
      {"balance"},
      {"retries"},
      {"retry-on"},
      {"option redispatch"},
      {"option httpchk"},
      {"option tcp-check"},
      {"option ssl-hello-chk"},
      {"option httplog"},
      {"option tcplog"},
      {"option forwardfor"},
      {"http-check connect"},
      {"http-check send"},
      {"http-check expect"},
      {"http-check *", Fate::kQuiet},
      {"tcp-check *"},
      {"http-request redirect"},
      {"redirect scheme"},
      {"stats enable"},
      {"stats uri"},
      {"stats auth", Fate::kLost,
       "the admin address wants a token in place of a password: set admin_token_file, at least where it is no "
       "loopback"},
      {"stats admin", Fate::kNote, "`bellwether node NAME drain|maint|ready` does this, by the control socket only"},
      {"stats *", Fate::kQuiet},
      {"option external-check", Fate::kLost, "Bellwether runs no programs: it asks each node /v1/sys/health itself"},
      {"external-check *", Fate::kLost, "Bellwether runs no programs: it asks each node /v1/sys/health itself"},
      {"option smtpchk", Fate::kLost, "Bellwether checks Vault only, by /v1/sys/health"},
      {"option mysql-check", Fate::kLost, "Bellwether checks Vault only, by /v1/sys/health"},
      {"option pgsql-check", Fate::kLost, "Bellwether checks Vault only, by /v1/sys/health"},
      {"option redis-check", Fate::kLost, "Bellwether checks Vault only, by /v1/sys/health"},
      {"option ldap-check", Fate::kLost, "Bellwether checks Vault only, by /v1/sys/health"},
      {"option http-keep-alive", Fate::kQuiet},
      {"option http-server-close", Fate::kNote, kConnectionUse},
      {"option httpclose", Fate::kNote, kConnectionUse},
      {"option forceclose", Fate::kNote, kConnectionUse},
      {"option http-tunnel", Fate::kNote, kConnectionUse},
      {"option http-pretend-keepalive", Fate::kQuiet},
      {"option prefer-last-server", Fate::kNote, kSticky},
      {"option dontlognull", Fate::kQuiet},
      {"option dontlog-normal", Fate::kQuiet},
      {"option logasap", Fate::kQuiet},
      {"option log-health-checks", Fate::kQuiet},
      {"option log-separate-errors", Fate::kQuiet},
      {"option tcpka", Fate::kNote, "keepalive is always on, see keepalive_idle"},
      {"option clitcpka", Fate::kNote, "keepalive is always on, see keepalive_idle"},
      {"option srvtcpka", Fate::kNote, "keepalive is always on, see keepalive_idle"},
      {"clitcpka-*", Fate::kNote, "see keepalive_idle and keepalive_interval"},
      {"srvtcpka-*", Fate::kNote, "see keepalive_idle and keepalive_interval"},
      {"option tcp-smart-*", Fate::kQuiet},
      {"option splice-*", Fate::kQuiet},
      {"option nolinger", Fate::kQuiet},
      {"option abortonclose", Fate::kQuiet},
      {"option allbackups", Fate::kNote, kSticky},
      {"option contstats", Fate::kQuiet},
      {"option socket-stats", Fate::kQuiet},
      {"option checkcache", Fate::kLost, kRules},
      {"option http-buffer-request", Fate::kNote, "bodies are streamed, never held whole"},
      {"option http-ignore-probes", Fate::kQuiet},
      {"option http-use-htx", Fate::kQuiet},
      {"option http-no-delay", Fate::kQuiet},
      {"option http-use-proxy-header", Fate::kQuiet},
      {"option idle-close-on-response", Fate::kQuiet},
      {"option accept-invalid-http-*", Fate::kLost, "requests and answers that are no valid HTTP/1.1 are refused"},
      {"option originalto", Fate::kLost, "Bellwether sets X-Forwarded-For only"},
      {"option forwarded", Fate::kLost, "Bellwether sets X-Forwarded-For only"},
      {"option persist", Fate::kNote, kSticky},
      {"option transparent", Fate::kLost, "Bellwether is no transparent proxy; see `source` and send_proxy"},
      {"source"},
      {"log", Fate::kNote, "Bellwether logs to standard error, which systemd's journal keeps"},
      {"log-format", Fate::kNote, kLogText},
      {"log-format-sd", Fate::kNote, kLogText},
      {"error-log-format", Fate::kNote, kLogText},
      {"log-tag", Fate::kQuiet},
      {"unique-id-*", Fate::kNote, "each failed request has an id, X-Bellwether-Request-Id"},
      {"capture", Fate::kNote, kLogText},
      {"declare", Fate::kQuiet},
      {"description", Fate::kQuiet},
      {"id", Fate::kQuiet},
      {"guid", Fate::kQuiet},
      {"enabled", Fate::kQuiet},
      {"disabled", Fate::kNote, "the section is disabled in HAProxy; this file serves it"},
      {"backlog", Fate::kQuiet},
      {"fullconn", Fate::kQuiet},
      {"rate-limit", Fate::kLost, "Bellwether limits no rates: Vault's own quotas do (sys/quotas/rate-limit)"},
      {"hash-type", Fate::kNote, kSticky},
      {"hash-balance-factor", Fate::kNote, kSticky},
      {"cookie", Fate::kNote, kSticky},
      {"dynamic-cookie-key", Fate::kNote, kSticky},
      {"stick", Fate::kNote, kSticky},
      {"stick-table", Fate::kNote,
       "it is not needed to keep clients at a server; a rate limit that is built on it is listed by its own rule"},
      {"persist", Fate::kNote, kSticky},
      {"use-server", Fate::kLost, "all requests go to the leader, whatever they ask"},
      {"http-reuse", Fate::kQuiet},
      {"http-send-name-header", Fate::kLost, "nodes are not told which of them was chosen"},
      {"load-server-state-from-file", Fate::kNote, "states that operators give to nodes are kept by no file"},
      {"server-state-file-name", Fate::kQuiet},
      {"errorfile", Fate::kLost, "the texts of errors are Bellwether's own, in the shape of Vault's"},
      {"errorfiles", Fate::kLost, "the texts of errors are Bellwether's own, in the shape of Vault's"},
      {"errorloc*", Fate::kLost, "the texts of errors are Bellwether's own, in the shape of Vault's"},
      {"http-error", Fate::kLost, "the texts of errors are Bellwether's own, in the shape of Vault's"},
      {"monitor-uri", Fate::kLost,
       "point whoever asks for it to /readyz of the admin address: 200 while clients have a leader to go to"},
      {"monitor", Fate::kLost, "without a leader /readyz of the admin address says 503"},
      {"monitor-net", Fate::kLost, "point whoever asks from there to /readyz of the admin address"},
      {"email-alert", Fate::kLost, "packaging/prometheus has alert rules; /metrics of the admin address feeds them"},
      {"compression", Fate::kLost, "answers are passed on as they are"},
      {"filter", Fate::kLost, "Bellwether has no filters"},
      {"dispatch", Fate::kLost, "name the servers by `server` lines"},
      {"http-request use-service", Fate::kNote, "/metrics of the admin address is for Prometheus"},
      {"http-request set-header"},
      {"http-request add-header"},
      {"http-request set-log-level", Fate::kQuiet},
      {"http-request capture", Fate::kNote, kLogText},
      {"http-request set-var*", Fate::kQuiet},
      {"http-request *", Fate::kLost, kRules},
      {"http-response *", Fate::kLost, kRules},
      {"http-after-response *", Fate::kLost, kRules},
      {"redirect *", Fate::kLost, kRules},
      {"tcp-request inspect-delay", Fate::kNote, "a client's TLS hello is waited for by itself (timeout_header)"},
      {"tcp-request connection", Fate::kLost, "Bellwether refuses no addresses: let a packet filter do it"},
      {"tcp-request content"},
      {"tcp-request *", Fate::kLost, kRules},
      {"tcp-response *", Fate::kLost, kRules},
      {"block", Fate::kLost, kRules},
      {"reqrep", Fate::kLost, kRules},
      {"no *", Fate::kQuiet},
  };
  return all;
}

void tell_keyword(const Line& line, const std::vector<Keyword>& table, Notes& notes) {
  const Keyword* row = find(table, fmt::format("{} {}", line.word(0), line.word(1)));
  if (row == nullptr) row = find(table, line.word(0));
  if (row != nullptr) return tell(row->fate, line, row->advice, notes);
  notes.lost(
      line, fmt::format("\"{}\" is not known to this import and was left out", for_people(line.word(0).substr(0, 60))));
}

}  // namespace bellwether::app::migration
