#include "json_tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace bellwether::config {
namespace {

constexpr std::size_t kMaxDepth = 32;
constexpr std::string_view kBlanks = " \t\r\n";

// Follows nlohmann's events through the text. The library tells positions only for syntax errors; but what it has
// accepted is valid JSON, so a cursor that skips separators and walks over tokens always knows where one starts.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  // Start of the next token, at most one comma or colon further on.
  [[nodiscard]] std::size_t next_token() const {
    std::size_t at = skip_blanks(offset_);
    if (at < text_.size() && (text_[at] == ',' || text_[at] == ':')) at = skip_blanks(at + 1);
    return at;
  }
  // The text of the next token; moves behind it.
  std::string_view take() {
    const std::size_t start = next_token();
    offset_ = end_of_token(start);
    return text_.substr(start, offset_ - start);
  }
  // The last character that is neither blank nor comment before the next token; 0 if none.
  [[nodiscard]] char separator_before_token() const {
    const std::size_t at = skip_blanks(offset_);
    return at < text_.size() ? text_[at] : '\0';
  }
  [[nodiscard]] Position position(std::size_t offset) const {
    const std::string_view before = text_.substr(0, std::min(offset, text_.size()));
    const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
    return Position{static_cast<int>(std::count(before.begin(), before.end(), '\n')) + 1,
                    static_cast<int>(before.size() - line_start) + 1};
  }

 private:
  [[nodiscard]] std::size_t skip_blanks(std::size_t at) const {
    for (;;) {
      at = std::min(text_.find_first_not_of(kBlanks, at), text_.size());
      if (text_.substr(at, 2) == "//") {
        at = std::min(text_.find('\n', at), text_.size());
      } else if (text_.substr(at, 2) == "/*") {
        const std::size_t end = text_.find("*/", at + 2);
        at = end == std::string_view::npos ? text_.size() : end + 2;
      } else {
        return at;
      }
    }
  }
  [[nodiscard]] std::size_t end_of_token(std::size_t at) const {
    if (at >= text_.size()) return text_.size();
    if (text_[at] != '"') {
      if (std::string_view("{}[]").find(text_[at]) != std::string_view::npos) return at + 1;
      return std::min(text_.find_first_of(" \t\r\n,:{}[]/\"", at), text_.size());
    }
    for (++at; at < text_.size() && text_[at] != '"'; ++at) {
      if (text_[at] == '\\') ++at;
    }
    return std::min(at + 1, text_.size());
  }

  std::string_view text_;
  std::size_t offset_ = 0;
};

// Builds the tree; nlohmann's SAX interface prescribes the names.
class Builder {
 public:
  using number_integer_t = nlohmann::json::number_integer_t;
  using number_unsigned_t = nlohmann::json::number_unsigned_t;
  using number_float_t = nlohmann::json::number_float_t;
  using string_t = nlohmann::json::string_t;
  using binary_t = nlohmann::json::binary_t;

  Builder(std::string_view text, ParsedJson& out) : text_(text), cursor_(text), out_(out) {}

  bool null() { return add(Json::Kind::kNull); }
  bool boolean(bool) { return add(Json::Kind::kBool); }
  bool number_integer(number_integer_t) { return add(Json::Kind::kInteger); }
  bool number_unsigned(number_unsigned_t) { return add(Json::Kind::kInteger); }
  bool number_float(number_float_t, const string_t&) { return add(Json::Kind::kFraction); }
  bool string(string_t& value) { return add(Json::Kind::kString, &value); }
  bool binary(binary_t&) { return false; }
  bool start_object(std::size_t) { return open(Json::Kind::kObject); }
  bool start_array(std::size_t) { return open(Json::Kind::kArray); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }

  bool key(string_t& name) {
    const Position at = cursor_.position(cursor_.next_token());
    cursor_.take();
    std::vector<Json::Member>& members = open_.back()->members;
    const auto same = std::find_if(members.begin(), members.end(), [&](const auto& each) { return each.key == name; });
    if (same != members.end()) {
      out_.findings.push_back({at, fmt::format("\"{}\" is here twice; the first is in line {}", name, same->at.line)});
    }
    members.push_back({name, at, {}});
    return true;
  }

  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception& error) {
    const std::size_t start = cursor_.next_token();
    out_.findings.push_back({cursor_.position(start), explain(start, error.what())});
    return false;
  }

 private:
  [[nodiscard]] std::string explain(std::size_t start, std::string_view what) const {
    const char next = start < text_.size() ? text_[start] : '\0';
    if (cursor_.separator_before_token() == ',' && (next == '}' || next == ']')) {
      return fmt::format("a comma before \"{}\"; JSON allows none after the last entry", next);
    }
    if (next == '\0') return "the file ends in the middle; is a bracket or brace missing?";
    if (next == ',') return "a comma without a value before it";
    if (next == '\'') return "strings are written with double quotes (\")";
    if (what.find("control character U+000A") != std::string_view::npos ||
        what.find("control character U+000D") != std::string_view::npos) {
      return "the string has no closing quote";
    }
    const bool wants_comma = what.find("while parsing object - unexpected") != std::string_view::npos ||
                             what.find("while parsing array - unexpected") != std::string_view::npos;
    if (wants_comma && next != '}' && next != ']') return "a comma is missing before this";
    const std::size_t detail = what.find("syntax error");
    return fmt::format("not valid JSON: {}", detail == std::string_view::npos ? what : what.substr(detail + 13));
  }

  Json* place() {
    if (open_.empty()) return &out_.root;
    Json& parent = *open_.back();
    if (parent.kind == Json::Kind::kObject) return &parent.members.back().value;
    return &parent.items.emplace_back();
  }
  bool add(Json::Kind kind, const std::string* value = nullptr) {
    Json* json = place();
    json->kind = kind;
    json->at = cursor_.position(cursor_.next_token());
    const std::string_view token = cursor_.take();
    json->text = value != nullptr ? *value : std::string(token);
    if (open_.empty()) out_.is_complete = true;
    return true;
  }
  // Pointers to open containers stay valid: only the innermost one grows.
  bool open(Json::Kind kind) {
    Json* json = place();
    json->kind = kind;
    json->at = cursor_.position(cursor_.next_token());
    cursor_.take();
    if (open_.size() >= kMaxDepth) {
      out_.findings.push_back({json->at, fmt::format("nested deeper than {} levels", kMaxDepth)});
      return false;
    }
    open_.push_back(json);
    return true;
  }
  bool close() {
    cursor_.take();
    open_.pop_back();
    if (open_.empty()) out_.is_complete = true;
    return true;
  }

  std::string_view text_;
  Cursor cursor_;
  ParsedJson& out_;
  std::vector<Json*> open_;
};

}  // namespace

std::string Json::described() const {
  switch (kind) {
    case Kind::kNull:
    case Kind::kBool:
    case Kind::kInteger:
    case Kind::kFraction:
      return text;
    case Kind::kString:
      return fmt::format("\"{}\"", text);
    case Kind::kArray:
      return "an array";
    case Kind::kObject:
      return "an object";
  }
  return text;
}

ParsedJson parse_json(std::string_view text) {
  ParsedJson out;
  if (text.substr(0, 3) == "\xEF\xBB\xBF") {
    out.findings.push_back({{1, 1}, "the file starts with a byte order mark; save it as UTF-8 without BOM"});
    return out;
  }
  if (text.find_first_not_of(kBlanks) == std::string_view::npos) {
    out.findings.push_back(
        {{1, 1}, "the file is empty; the smallest one names the nodes: {\"nodes\": [\"https://...\"]}"});
    return out;
  }
  Builder builder(text, out);
  const bool is_valid = nlohmann::json::sax_parse(text.begin(), text.end(), &builder,
                                                  nlohmann::json::input_format_t::json, /*strict=*/true,
                                                  /*ignore_comments=*/true);
  if (!is_valid) out.is_complete = false;
  return out;
}

}  // namespace bellwether::config
