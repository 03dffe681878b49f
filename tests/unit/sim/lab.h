#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/model/model.h"

namespace bellwether::sim {

// A model, a hand-driven clock, and all that came out of it.
struct Lab {
  explicit Lab(ModelOptions options = {}, int nodes = 3) : model(with_urls(std::move(options), nodes), now) {}

  static ModelOptions with_urls(ModelOptions options, int nodes) {
    for (int i = 1; i <= nodes; ++i) options.urls.push_back("http://n" + std::to_string(i));
    return options;
  }

  // Sends a request; the id finds its answer.
  std::uint64_t send(int node, const std::string& method, const std::string& target, const std::string& body = "",
                     std::vector<std::pair<std::string, std::string>> headers = {{"X-Vault-Token", "root"}}) {
    const std::uint64_t id = ++last_id;
    model.receive({node, id}, {method, target, std::move(headers), body}, now);
    collect();
    return id;
  }
  // Sends it and gives the answer that comes at once, status 0 if none does.
  http::Response ask(int node, const std::string& method, const std::string& target, const std::string& body = "",
                     std::vector<std::pair<std::string, std::string>> headers = {{"X-Vault-Token", "root"}}) {
    return answer(send(node, method, target, body, std::move(headers)));
  }
  http::Response answer(std::uint64_t id) const {
    const auto found = answers.find(id);
    return found == answers.end() ? http::Response{0, {}, ""} : found->second;
  }
  int health(int node) { return ask(node, "GET", "/v1/sys/health").status; }
  http::Response put(int node, const std::string& key, const std::string& value, bool redirect = true) {
    return answer(send_put(node, key, value, redirect));
  }
  std::uint64_t send_put(int node, const std::string& key, const std::string& value, bool redirect = true) {
    std::vector<std::pair<std::string, std::string>> headers = {{"X-Vault-Token", "root"}};
    if (redirect) headers.emplace_back("X-Vault-No-Request-Forwarding", "1");
    return send(node, "PUT", "/v1/secret/data/" + key, R"({"data":{"v":")" + value + R"("}})", std::move(headers));
  }
  void inject(int node, std::string_view fault, Duration argument = {}) {
    if (const Result<void> done = model.inject(node, fault, argument, now); !done) error = done.error().message;
    collect();
  }
  void advance(Duration d) {
    now += d;
    model.tick(now);
    collect();
  }
  void collect() {
    for (Action& action : model.take_actions()) {
      if (auto* answered = std::get_if<Answer>(&action)) {
        answers[answered->id.exchange] = std::move(answered->response);
      } else {
        changes.push_back(std::get<ChangeProcess>(action));
      }
    }
  }
  static std::string location(const http::Response& response) {
    for (const auto& header : response.headers) {
      if (header.name == "Location") return header.value;
    }
    return "";
  }
  // Steps of 5 ms until somebody says 200 (returned) or two minutes have passed (-1).
  int until_somebody_leads() {
    for (int i = 0; i < 24'000; ++i) {
      if (model.leader() >= 0) return model.leader();
      advance(5ms);
    }
    return -1;
  }

  TimePoint now{1h};
  Model model;
  std::uint64_t last_id = 0;
  std::map<std::uint64_t, http::Response> answers;
  std::vector<ChangeProcess> changes;
  std::string error;
};

}  // namespace bellwether::sim
