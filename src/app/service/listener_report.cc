#include "listener_report.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <memory>

#include "bellwether/net/certificate.h"

namespace bellwether::app {
namespace {

std::vector<net::OwnCertificate> certificates_of(const std::shared_ptr<net::TlsContext>& context) {
  return context ? net::own_certificates(*context, std::chrono::system_clock::now())
                 : std::vector<net::OwnCertificate>();
}

// " (TLS with vault.pem until 2027-01-01, bao.pem until ...)"; nothing where it speaks plain HTTP.
std::string certificates_text(const std::shared_ptr<net::TlsContext>& context) {
  if (!context) return "";
  std::vector<std::string> texts;
  for (const net::OwnCertificate& each : certificates_of(context)) {
    const auto end = each.not_after ? std::chrono::system_clock::to_time_t(*each.not_after) : std::time_t{};
    texts.push_back(fmt::format("{} until {:%Y-%m-%d}", each.file, fmt::gmtime(end)));
  }
  return fmt::format(" (TLS with {})", fmt::join(texts, ", "));
}

}  // namespace

void say_new_listeners(const log::ClusterLog& log, const std::vector<config::Listen>& before,
                       const std::vector<config::Listen>& now, const std::vector<net::Address>& addresses) {
  for (std::size_t i = 0; i < now.size(); ++i) {
    if (std::find(before.begin(), before.end(), now[i]) != before.end()) continue;
    log.info("listening", {{"address", addresses[i].to_string()}, {"mode", std::string(to_text(now[i].mode))}});
  }
}

std::vector<std::string> listener_texts(const std::vector<config::Listen>& listeners,
                                        const std::vector<net::Address>& addresses, const TlsContexts& contexts) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < listeners.size(); ++i) {
    texts.push_back(fmt::format("{} {}{}", addresses[i].to_string(), to_text(listeners[i].mode),
                                certificates_text(contexts.to_clients[i])));
  }
  return texts;
}

void warn_of_invalid_certificates(const log::ClusterLog& log, const TlsContexts& contexts) {
  std::vector<std::string> told;  // listeners share certificates
  const auto warn = [&log, &told](const std::shared_ptr<net::TlsContext>& context, const std::string& option) {
    for (const net::OwnCertificate& each : certificates_of(context)) {
      if (!each.problem || std::find(told.begin(), told.end(), each.file) != told.end()) continue;
      told.push_back(each.file);
      log.warn("certificate_invalid", {{"option", option}, {"file", each.file}, {"why", *each.problem}});
    }
  };
  warn(contexts.to_nodes, "client_cert");
  for (const auto& each : contexts.to_clients) warn(each, "tls_cert");
}

}  // namespace bellwether::app
