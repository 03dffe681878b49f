#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "app/migration/haproxy/keywords.h"
#include "bellwether/base/text.h"
#include "bellwether/base/visible.h"
#include "context.h"

namespace bellwether::app::migration {
namespace {

struct OtherSection {
  std::string_view word;
  FindingKind kind;
  std::string_view advice;
};

constexpr std::array<OtherSection, 14> kOthers{
    {{"peers", FindingKind::kNote, "it is not needed: nothing is kept per client that instances would have to share"},
     {"cache", FindingKind::kNote, "answers of Vault are not cached"},
     {"userlist", FindingKind::kLost, "Bellwether knows no users: clients prove who they are to Vault"},
     {"mailers", FindingKind::kLost, "packaging/prometheus has alert rules; /metrics of the admin address feeds them"},
     {"program", FindingKind::kLost, "let systemd run the program"},
     {"http-errors", FindingKind::kLost, "the texts of errors are Bellwether's own, in the shape of Vault's"},
     {"ring", FindingKind::kNote, "Bellwether logs to standard error, which systemd's journal keeps"},
     {"log-forward", FindingKind::kLost, "Bellwether forwards no logs of others"},
     {"log-profile", FindingKind::kNote, "Bellwether logs to standard error, which systemd's journal keeps"},
     {"fcgi-app", FindingKind::kLost, "Bellwether speaks HTTP to nodes of Vault only"},
     {"crt-store", FindingKind::kLost, "name the certificates in tls_cert"},
     {"traces", FindingKind::kNote, "`bellwether log-level debug` tells more while it runs"},
     {"acme", FindingKind::kLost, "let another program renew certificates: files that change are read again"},
     {"resolvers", FindingKind::kNote, "names are asked for by /etc/resolv.conf, as long as their TTL says"}}};

bool has_line(const Section& section, std::string_view word) {
  return std::any_of(section.lines.begin(), section.lines.end(),
                     [&](const Line& each) { return each.word(0) == word; });
}

bool is_used(const Context& context, const Section& section) {
  const auto holds = [&](const std::vector<const Section*>& all) {
    return std::find(all.begin(), all.end(), &section) != all.end();
  };
  return holds(context.cluster.backends) || holds(context.cluster.frontends);
}

void tell_other(const Section& section, Context& context) {
  const auto* row =
      std::find_if(kOthers.begin(), kOthers.end(), [&](const OtherSection& each) { return each.word == section.word; });
  if (row == kOthers.end()) return;
  const std::string title = for_people(section.title().substr(0, 100));
  if (section.word == "resolvers" && has_line(section, "nameserver")) {
    return context.notes.add(FindingKind::kLost, section.line, title,
                             "its name servers are not asked: names are asked for by /etc/resolv.conf, so a domain "
                             "such as consul must be known there");
  }
  context.notes.add(row->kind, section.line, title, row->advice);
}

void tell_unused(const Section& section, Context& context) {
  const std::string title = for_people(section.title().substr(0, 100));
  if (is_stats_page(section)) {
    const bool is_admin = std::any_of(context.plan.settings.begin(), context.plan.settings.end(),
                                      [](const Setting& each) { return each.key == "admin"; });
    if (!is_admin) {
      context.notes.add(FindingKind::kNote, section.line, title,
                        "the status page is on the admin address, 127.0.0.1:8209");
    }
    for (const Line& line : section.lines) {
      if (line.word(0) != "bind" && line.word(0) != "mode") tell_keyword(line, proxy_keywords(), context.notes);
    }
    return;
  }
  const bool is_cluster_port =
      has_line(section, "server") && std::all_of(section.lines.begin(), section.lines.end(), [](const Line& each) {
        const std::string_view address = each.word(2);
        return each.word(0) != "server" || (address.size() > 5 && address.substr(address.size() - 5) == ":8201");
      });
  if (is_cluster_port) {
    return context.notes.add(FindingKind::kLost, section.line, title,
                             "port 8201 is for Vault's own traffic, of which Bellwether cannot tell who leads: nodes "
                             "reach each other directly; keep HAProxy there for secondary clusters");
  }
  context.notes.add(FindingKind::kNote, section.line, title, "it is no part of this cluster and was left out");
}

// Rules of clients' TLS hellos are not needed to pass TLS through.
void tell_content_rule(const Line& line, Context& context) {
  if (line.word(0) != "tcp-request" || line.word(1) != "content") return;
  const bool is_hello = std::any_of(line.words.begin(), line.words.end(), [](const std::string& each) {
    return each.find("ssl_hello_type") != std::string::npos;
  });
  if (line.word(2) == "accept" && is_hello) {
    return context.notes.note(line, "a client's TLS hello is waited for by itself (timeout_header)");
  }
  context.notes.lost(line, "Bellwether has no rules for connections: keep HAProxy or a packet filter in front for it");
}

// Headers that are for web applications: no node reads them.
void tell_header_rule(const Line& line, Context& context) {
  if (line.word(0) != "http-request" || (line.word(1) != "set-header" && line.word(1) != "add-header")) return;
  constexpr std::array<std::string_view, 5> kUnread = {"x-forwarded-proto", "x-forwarded-port", "x-forwarded-host",
                                                       "x-real-ip", "x-request-id"};
  const std::string name = lower_ascii(line.word(2));
  if (std::find(kUnread.begin(), kUnread.end(), name) != kUnread.end()) {
    return context.notes.note(line, "Vault does not read this header");
  }
  context.notes.lost(line, "headers are passed on as clients send them; X-Forwarded-For tells the client's address");
}

void tell_routes(const Section& section, Context& context) {
  for (const Line* line : context.document.all(section, "use_backend")) {
    const auto& backends = context.cluster.backends;
    const bool is_here =
        std::any_of(backends.begin(), backends.end(), [&](const Section* each) { return each->name == line->word(1); });
    if (is_here) {
      context.notes.note(*line, "the condition is left out: whatever comes to the listener goes to the leader");
    } else {
      context.notes.lost(*line, "requests are not told apart by name or path: an address leads to one cluster");
    }
  }
}

// A server's agent and its like are told where its line is read.
void tell_proxy(const Section& section, Context& context) {
  for (const Line* line : context.document.lines_of(section)) {
    tell_keyword(*line, proxy_keywords(), context.notes);
    tell_content_rule(*line, context);
    tell_header_rule(*line, context);
  }
  tell_routes(section, context);
}

}  // namespace

void tell_the_rest(Context& context) {
  for (const Problem& each : context.document.unset) {
    context.notes.add(FindingKind::kDecide, each.line, "$" + for_people(each.message),
                      "the variable is not set here: run the command with the environment of HAProxy's unit");
  }
  for (const Line& line : context.document.conditions) {
    if (line.word(0) != ".if" && line.word(0) != ".elif") continue;
    context.notes.lost(line, "conditions are not evaluated: the lines of every branch were read, the last one counts");
  }
  for (const Section& each : context.document.sections) {
    if (each.kind == Section::Kind::kGlobal) {
      for (const Line& line : each.lines) tell_keyword(line, global_keywords(), context.notes);
    }
    if (each.kind == Section::Kind::kOther) tell_other(each, context);
    if (!each.is_proxy()) continue;
    if (is_used(context, each)) tell_proxy(each, context);
    if (!is_used(context, each)) tell_unused(each, context);
  }
}

}  // namespace bellwether::app::migration
