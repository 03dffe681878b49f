#include "bellwether/config/reference.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

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
         {{"type", "string"}, {"description", "\"127.0.0.1:8200\", \"[::1]:8200\", \":8200\" or \"unix:/path\"."}}}};
    for (const Option& option : options()) {
      if (!option.is_per_listener) continue;
      properties[std::string(option.key)] = {{"$ref", fmt::format("#/properties/{}", option.key)}};
    }
    const Schema object = {
        {"type", "object"}, {"additionalProperties", false}, {"required", {"address"}}, {"properties", properties}};
    const Schema one = {{"anyOf", Schema::array({{{"type", "string"}}, object})}};
    return {
        {"anyOf", Schema::array({{{"type", "string"}}, object, {{"type", "array"}, {"minItems", 1}, {"items", one}}})}};
  }
  Schema operator()(const NodesField&) const {
    const Schema url = {{"type", "string"}, {"pattern", "^[Hh][Tt][Tt][Pp][Ss]?://[^/?#@]+/?$"}};
    const Schema object = {
        {"type", "object"},
        {"additionalProperties", false},
        {"required", {"url"}},
        {"properties",
         {{"url", url},
          {"name", {{"type", "string"}, {"description", "In logs, metrics and commands; default: host:port."}}},
          {"server_name", {{"type", "string"}, {"description", "The name in the node's certificate."}}},
          {"public_address", url}}}};
    return {{"type", "array"}, {"minItems", 1}, {"items", {{"anyOf", Schema::array({url, object})}}}};
  }
};

bool has_default(const Option& option) { return !std::holds_alternative<NodesField>(option.field); }

constexpr std::string_view kExampleNodes = R"([
    "https://vault1.example.com:8200",
    "https://vault2.example.com:8200",
    "https://vault3.example.com:8200"
  ])";

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
                         {"required", {"nodes"}},
                         {"properties", properties}};
  return schema.dump(2) + "\n";
}

std::string example_file() {
  std::string out =
      "// Every option at its default. Only \"nodes\" must be given: minimal.json is enough for most.\n"
      "// REFERENCE.md says the same in tables. Durations are \"250ms\"; a plain number is milliseconds.\n"
      "{\n  \"$schema\": \"./bellwether.schema.json\"";
  std::string_view group;
  for (const Option& option : options()) {
    out += ",\n\n";
    if (option.group != group) out += fmt::format("  /* {} */\n\n", option.group);
    group = option.group;
    out += fmt::format("  // {}\n  \"{}\": {}", option.doc, option.key,
                       has_default(option) ? default_text(option) : std::string(kExampleNodes));
  }
  return out + "\n}\n";
}

std::string options_markdown() {
  std::string out;
  std::string_view group;
  for (const Option& option : options()) {
    if (option.group != group) {
      out += fmt::format(
          "{}### {}\n\n| option | default | takes | flag | environment | reload | listener | meaning "
          "|\n|---|---|---|---|---|---|---|---|\n",
          group.empty() ? "" : "\n", option.group);
      group = option.group;
    }
    out += fmt::format("| `{}` | {} | {} | {} | `{}`{} | {} | {} | {} |\n", option.key,
                       has_default(option) ? fmt::format("`{}`", default_text(option)) : "required", expected(option),
                       option.flag.empty() ? "arguments" : fmt::format("`{}`", option.flag), environment_name(option),
                       borrowed_text(option), option.reloadable ? "yes" : "no", option.is_per_listener ? "its own" : "",
                       option.doc);
  }
  return out;
}

}  // namespace bellwether::config
