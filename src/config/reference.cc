#include "bellwether/config/reference.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <variant>

#include "bellwether/config/options.h"

namespace bellwether::config {
namespace {

using Schema = nlohmann::ordered_json;

constexpr std::string_view kDurationPattern = R"(^[0-9]+(\.[0-9]+)?(us|ms|s|m|h|d)?$)";

struct FieldSchema {
  Schema operator()(const TextField&) const { return {{"type", "string"}}; }
  Schema operator()(const FlagField&) const { return {{"type", "boolean"}}; }
  Schema operator()(const IntField& field) const {
    const Schema number = {{"type", "integer"}, {"minimum", field.min}, {"maximum", field.max}};
    if (field.word_for_zero.empty()) return number;
    Schema counted = number;
    counted["minimum"] = 1;
    return {{"anyOf", Schema::array({counted, {{"const", field.word_for_zero}}})}};
  }
  Schema operator()(const DurationField&) const {
    return {{"anyOf", Schema::array({{{"type", "string"}, {"pattern", kDurationPattern}},
                                     {{"type", "integer"}, {"minimum", 0}}})}};
  }
  Schema operator()(const EnumField& field) const { return {{"enum", field.values}}; }
  Schema operator()(const ListField&) const {
    const Schema text = {{"type", "string"}};
    return {{"anyOf", Schema::array({text, {{"type", "array"}, {"items", text}}})}};
  }
  Schema operator()(const CertificatesField&) const {
    const Schema text = {{"type", "string"}};
    const Schema object = {{"type", "object"},
                           {"additionalProperties", false},
                           {"required", {"cert"}},
                           {"properties", {{"cert", text}, {"key", text}}}};
    const Schema one = {{"anyOf", Schema::array({text, object})}};
    return {{"anyOf", Schema::array({text, object, {{"type", "array"}, {"items", one}}})}};
  }
  Schema operator()(const ListenField&) const {
    Schema properties = {
        {"address",
         {{"type", "string"}, {"description", "\"127.0.0.1:8200\", \"[::1]:8200\", \":8200\" or \"unix:/path\"."}}},
        {"cluster",
         {{"type", "string"}, {"description", "The name of the cluster that it serves, where there are several."}}}};
    for (const Option& option : options()) {
      if (option.scope != Scope::kListener) continue;
      properties[std::string(option.key)] = {{"$ref", fmt::format("#/properties/{}", option.key)}};
    }
    const Schema object = {
        {"type", "object"}, {"additionalProperties", false}, {"required", {"address"}}, {"properties", properties}};
    const Schema one = {{"anyOf", Schema::array({{{"type", "string"}}, object})}};
    return {
        {"anyOf", Schema::array({{{"type", "string"}}, object, {{"type", "array"}, {"minItems", 1}, {"items", one}}})}};
  }
  Schema operator()(const NodesField&) const {
    const std::string pattern = "[Hh][Tt][Tt][Pp][Ss]?://[^/?#@]+/?$";
    const Schema public_url = {{"type", "string"}, {"pattern", "^" + pattern}};
    const Schema url = {{"type", "string"}, {"pattern", R"(^([Ss][Rr][Vv]\+)?)" + pattern}};
    const Schema object = {
        {"type", "object"},
        {"additionalProperties", false},
        {"required", {"url"}},
        {"properties",
         {{"url", url},
          {"name", {{"type", "string"}, {"description", "In logs, metrics and commands; default: host:port."}}},
          {"server_name", {{"type", "string"}, {"description", "The name in the node's certificate."}}},
          {"public_address", public_url}}}};
    return {{"type", "array"}, {"minItems", 1}, {"items", {{"anyOf", Schema::array({url, object})}}}};
  }
  Schema operator()(const ClustersField&) const {
    Schema properties = {{"name",
                          {{"type", "string"},
                           {"pattern", R"(^[A-Za-z0-9._:\[\]-]{1,64}$)"},
                           {"description", "In logs, metrics and commands."}}}};
    for (const Option& option : options()) {
      if (option.scope == Scope::kProcess) continue;
      properties[std::string(option.key)] = {{"$ref", fmt::format("#/properties/{}", option.key)}};
    }
    const Schema object = {{"type", "object"},
                           {"additionalProperties", false},
                           {"required", {"name", "nodes"}},
                           {"properties", properties}};
    return {{"type", "array"}, {"minItems", 1}, {"maxItems", kMaxClusters}, {"items", object}};
  }
};

bool has_default(const Option& option) {
  return !std::holds_alternative<NodesField>(option.field) && !std::holds_alternative<ClustersField>(option.field);
}

constexpr std::string_view kExampleNodes = R"([
    "https://vault1.example.com:8200",
    "https://vault2.example.com:8200",
    "https://vault3.example.com:8200"
  ])";

constexpr std::string_view kClustersInExample = R"(
  // With it there is no "nodes" beside it; two-clusters.json is an example.
  // "clusters": [{"name": "east", "nodes": ["https://vault1.east.example.com:8200"]}])";

std::string_view scope_text(Scope scope) {
  switch (scope) {
    case Scope::kProcess:
      return "";
    case Scope::kCluster:
      return "cluster";
    case Scope::kListener:
      return "cluster, listener";
  }
  return "";
}

std::string default_cell(const Option& option) {
  if (has_default(option)) return fmt::format("`{}`", default_text(option));
  return is_file_only(option) ? "none" : "required, unless there are `clusters`";
}

std::string flag_cell(const Option& option) {
  if (!option.flag.empty()) return fmt::format("`{}`", option.flag);
  return is_file_only(option) ? "" : "arguments";
}

std::string borrowed_text(const Option& option) {
  std::string out;
  for (auto name = option.borrowed.rbegin(); name != option.borrowed.rend(); ++name)
    out += fmt::format(", `{}`", *name);
  return out;
}

}  // namespace

std::string json_schema() {
  Schema properties = {{"$schema", {{"type", "string"}}}};
  for (const Option& option : options()) {
    Schema field = std::visit(FieldSchema{}, option.field);
    field["description"] = fmt::format("{} Takes {}.", option.doc, expected(option));
    if (has_default(option)) field["default"] = Schema::parse(default_text(option));
    properties[std::string(option.key)] = std::move(field);
  }
  const Schema schema = {{"$schema", "http://json-schema.org/draft-07/schema#"},
                         {"title", "Configuration of Bellwether"},
                         {"type", "object"},
                         {"additionalProperties", false},
                         {"oneOf", Schema::array({{{"required", {"nodes"}}}, {{"required", {"clusters"}}}})},
                         {"properties", properties}};
  return schema.dump(2) + "\n";
}

std::string example_file() {
  std::string out =
      "// Every option at its default. Only \"nodes\" must be given: minimal.json is enough for most.\n"
      "// REFERENCE.md says the same in tables. Durations are \"250ms\"; a plain number is milliseconds.\n"
      "{\n  \"$schema\": \"./bellwether.schema.json\"";
  std::string_view group;
  bool is_behind_value = true;
  for (const Option& option : options()) {
    out += is_behind_value ? ",\n\n" : "\n\n";
    if (option.group != group) out += fmt::format("  /* {} */\n\n", option.group);
    group = option.group;
    is_behind_value = !is_file_only(option);
    if (!is_behind_value) {
      out += fmt::format("  // {}{}", option.doc, kClustersInExample);
      continue;
    }
    out += fmt::format("  // {}\n  \"{}\": {}", option.doc, option.key,
                       has_default(option) ? default_text(option) : std::string(kExampleNodes));
  }
  return out + "\n}\n";
}

std::string_view two_clusters_example() {
  return R"({
  "$schema": "./bellwether.schema.json",

  // Each cluster's own options go before those of all.
  "clusters": [
    {
      "name": "east",
      "nodes": ["https://vault1.east.example.com:8200", "https://vault2.east.example.com:8200"],
      "server_name": "vault.east.example.com"
    },
    {
      "name": "west",
      "nodes": ["https://vault1.west.example.com:8200", "https://vault2.west.example.com:8200"],
      "server_name": "vault.west.example.com",
      "inter": "2s"
    }
  ],
  "listen": [
    {"address": "127.0.0.1:8200", "cluster": "east"},
    {"address": "127.0.0.1:8300", "cluster": "west"}
  ],

  // For all.
  "timeout_idle": "30m"
}
)";
}

std::string options_markdown() {
  std::string out;
  std::string_view group;
  for (const Option& option : options()) {
    if (option.group != group) {
      out += fmt::format(
          "{}### {}\n\n| option | default | takes | flag | environment | reload | may differ by | meaning "
          "|\n|---|---|---|---|---|---|---|---|\n",
          group.empty() ? "" : "\n", option.group);
      group = option.group;
    }
    const std::string variables =
        is_file_only(option) ? "" : fmt::format("`{}`{}", environment_name(option), borrowed_text(option));
    out += fmt::format("| `{}` | {} | {} | {} | {} | {} | {} | {} |\n", option.key, default_cell(option),
                       expected(option), flag_cell(option), variables, option.reloadable ? "yes" : "no",
                       scope_text(option.scope), option.doc);
  }
  return out;
}

}  // namespace bellwether::config
