#include <fmt/format.h>

#include <algorithm>

#include "app/migration/haproxy/keywords.h"
#include "certificates.h"
#include "context.h"
#include "listener_times.h"

namespace bellwether::app::migration {
namespace {

// "redirect scheme https", alone or as a rule of http-request.
const Line* redirect_to_https(const Context& context, const Section& section) {
  for (const Line* each : context.document.lines_of(section)) {
    const std::size_t at = each->word(0) == "http-request" ? 1 : 0;
    if (each->word(at) != "redirect") continue;
    const auto scheme = std::find(each->words.begin(), each->words.end(), "scheme");
    if (scheme != each->words.end() && scheme + 1 != each->words.end() && *(scheme + 1) == "https") return each;
  }
  return nullptr;
}

// One `bind` line of one section.
class BindLine {
 public:
  BindLine(const Line& line, const Section& section, Context& context)
      : line_(line), section_(section), context_(context) {
    read_parameters(line, 2, bind_parameters(), parameters_, context.notes);
    speaks_tls_ = parameters_.has("ssl");
  }

  void map() {
    const BindAddresses found = parse_bind_addresses(line_.word(1));
    for (const std::string& each : found.refused) context_.notes.lost(line_, each);
    if (!speaks_tls_) {
      if (const Line* redirect = redirect_to_https(context_, section_)) {
        return context_.notes.lost(*redirect,
                                   "no listener sends clients from http:// to https://: those of Vault take "
                                   "the scheme of VAULT_ADDR; listeners without TLS are left out here");
      }
    }
    for (const std::string& each : found.addresses) add(each);
  }

 private:
  void add(const std::string& address) {
    std::vector<Listener>& all = context_.plan.listeners;
    if (std::any_of(all.begin(), all.end(), [&](const Listener& each) { return each.address == address; })) {
      return context_.notes.note(line_, fmt::format("{} is there already: it is written once", address));
    }
    if (all.size() >= 64) return context_.notes.lost(line_, "more than 64 listeners are not written");
    Listener listener{address, Source(line_), {}};
    const bool is_unix = address.substr(0, 5) == "unix:";
    const bool is_http = context_.is_http(section_) || speaks_tls_ || context_.any_server_speaks_tls();
    add_mode(is_http, listener);
    if (speaks_tls_ && !is_unix) add_tls(listener);
    if (speaks_tls_ && is_unix) context_.notes.lost(line_, "clients of a unix socket speak plain HTTP");
    add_proxy_header(listener);
    add_listener_times(section_, is_http, context_, listener);
    all.push_back(std::move(listener));
  }

  // HAProxy in mode tcp may speak TLS on either side: what passes nothing through is an http listener.
  void add_mode(bool is_http, Listener& listener) const {
    const Line* mode = context_.document.find(section_, "mode");
    const bool is_said = mode != nullptr && (mode->word(1) == "http") == is_http;
    if (is_http && !is_said) {
      const Line& why = mode != nullptr ? *mode : line_;
      context_.notes.note(why,
                          "TLS ends here or begins here, so it is an http listener: it sees requests and can hold "
                          "and repeat them");
    }
    listener.settings.push_back(
        {"mode", is_http ? "\"http\"" : "\"tcp\"", mode != nullptr ? Source(*mode) : Source(line_)});
  }

  void add_tls(Listener& listener) {
    const std::string certificates = certificates_of(line_, parameters_, context_);
    if (certificates.empty()) {
      context_.notes.decide(line_, "no certificate was found for the listener: set tls_cert");
    }
    put(listener, "tls_cert", certificates.empty() ? json_string("/etc/bellwether/server.pem") : certificates);
    const std::string_view verify = parameters_.last("verify");
    if (parameters_.has("ca-file") && verify != "none" && !verify.empty()) {
      put(listener, "tls_client_ca", json_string(context_.file_name("ca-base", parameters_.last("ca-file"))));
      if (verify == "optional") put(listener, "tls_client_auth", "\"optional\"");
    }
    add_versions(listener);
  }

  void add_versions(Listener& listener) {
    const Line* common = context_.global("ssl-default-bind-options");
    const auto says = [&](std::string_view word) {
      return common != nullptr && std::find(common->words.begin(), common->words.end(), word) != common->words.end();
    };
    const bool own_13 =
        parameters_.last("ssl-min-ver") == "TLSv1.3" || parameters_.has("force-tlsv13") || parameters_.has("no-tlsv12");
    const bool common_13 = !parameters_.has("ssl-min-ver") && (says("TLSv1.3") || says("force-tlsv13"));
    if (own_13 || common_13) put(listener, "tls_min_version", "\"1.3\"", own_13 ? line_ : *common);
    const bool own_tickets = parameters_.has("no-tls-tickets");
    if (own_tickets || says("no-tls-tickets")) {
      put(listener, "tls_ticket_lifetime", "\"0s\"", own_tickets ? line_ : *common);
    }
  }

  void add_proxy_header(Listener& listener) {
    if (!parameters_.has("accept-proxy")) return;
    put(listener, "accept_proxy", "true");
    listener.settings.push_back({"accept_proxy_from", "[\"10.0.0.0/8\"]", {}, "the balancers before Bellwether", true});
    context_.notes.decide(line_, "anybody can claim any address: name the balancers in accept_proxy_from");
  }

  void put(Listener& listener, std::string_view key, std::string value) const {
    put(listener, key, std::move(value), line_);
  }
  static void put(Listener& listener, std::string_view key, std::string value, const Line& from) {
    listener.settings.push_back({key, std::move(value), Source(from)});
  }

  const Line& line_;
  const Section& section_;
  Context& context_;
  Parameters parameters_;
  bool speaks_tls_ = false;
};

}  // namespace

void map_listeners(Context& context) {
  for (const Section* section : context.cluster.frontends) {
    for (const Line* line : context.document.all(*section, "bind")) BindLine(*line, *section, context).map();
  }
  for (const Section* section : context.cluster.partial) {
    context.notes.add(FindingKind::kLost, section->line, section->title(),
                      "it leads clients to other backends too, which Bellwether does not: give this cluster an address "
                      "of its own (another port, or another IP address) and tell its clients");
  }
  if (!context.plan.listeners.empty()) return;
  context.plan.listeners.push_back({"127.0.0.1:8200", {}, {{"mode", "\"tcp\"", {}}}});
  context.notes.add(FindingKind::kDecide, 0, "listener",
                    "no address was found at which clients reach this cluster; 127.0.0.1:8200 is written");
}

}  // namespace bellwether::app::migration
