#include "lexer.h"

#include <fmt/format.h>

#include <optional>

namespace bellwether::app::migration {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\v' || c == '\f'; }
bool may_begin_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.'; }
bool may_be_in_name(char c) { return may_begin_name(c) || (c >= '0' && c <= '9'); }

std::optional<int> hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

// Reads one line from its start to its end, once.
class Lexer {
 public:
  Lexer(std::string_view line, const Surroundings& surroundings) : line_(line), surroundings_(surroundings) {}

  Result<std::vector<std::string>> split() {
    while (at_ < line_.size() && !is_over()) {
      if (const Result<void> read = step(); !read) return tl::unexpected(read.error());
      if (bytes_ > kMaxLineBytes) {
        return fail(ErrorKind::kLimit, fmt::format("the line is longer than {} bytes; split it", kMaxLineBytes));
      }
    }
    if (quote_ != 0) {
      return fail(ErrorKind::kInvalid, fmt::format("the quote {} in column {} is never closed", quote_, quote_at_ + 1));
    }
    end_word();
    if (words_.size() > kMaxWords) {
      return fail(ErrorKind::kLimit, fmt::format("the line has more than {} words", kMaxWords));
    }
    return std::move(words_);
  }

 private:
  // A comment, or the end of the line.
  [[nodiscard]] bool is_over() const {
    const char c = line_[at_];
    return c == '\r' || c == '\n' || (c == '#' && quote_ == 0);
  }

  Result<void> step() {
    const char c = line_[at_];
    if (c == '\0') {
      return fail(ErrorKind::kInvalid, fmt::format("there is a NUL byte in column {}: this is no text file", at_ + 1));
    }
    if ((c == '"' || c == '\'') && (quote_ == 0 || quote_ == c)) {
      toggle_quote(c);
      return {};
    }
    if (c == '\\' && quote_ != '\'') return escape();
    if (c == '$' && quote_ == '"') return variable();
    if (is_blank(c) && quote_ == 0) {
      end_word();
      ++at_;
      return {};
    }
    put(c);
    ++at_;
    return {};
  }

  void toggle_quote(char c) {
    quote_ = quote_ == 0 ? c : '\0';
    quote_at_ = at_++;
    has_word_ = true;  // "" is a word without characters
  }

  // What has no special meaning keeps its backslash, as in regular expressions.
  Result<void> escape() {
    const char next = at_ + 1 < line_.size() ? line_[at_ + 1] : '\0';
    switch (next) {
      case ' ':
      case '\\':
      case '#':
      case '\'':
      case '"':
        return replace(next);
      case 't':
        return replace('\t');
      case 'n':
        return replace('\n');
      case 'r':
        return replace('\r');
      case 'x':
        return hexadecimal();
      case '$':
        if (quote_ == '"') return replace('$');
        break;
      default:
        break;
    }
    put('\\');
    ++at_;
    return {};
  }

  Result<void> replace(char c) {
    put(c);
    at_ += 2;
    return {};
  }

  Result<void> hexadecimal() {
    const std::optional<int> high = at_ + 2 < line_.size() ? hex_digit(line_[at_ + 2]) : std::nullopt;
    const std::optional<int> low = at_ + 3 < line_.size() ? hex_digit(line_[at_ + 3]) : std::nullopt;
    if (!high || !low) {
      return fail(ErrorKind::kInvalid,
                  fmt::format("\\x in column {} needs two hexadecimal digits, such as \\x20", at_ + 1));
    }
    put(static_cast<char>(*high * 16 + *low));
    at_ += 4;
    return {};
  }

  Result<void> variable() {
    const std::size_t begin = at_++;
    const bool has_brace = at_ < line_.size() && line_[at_] == '{';
    if (has_brace) ++at_;
    const std::size_t name_at = at_;
    while (at_ < line_.size() && may_be_in_name(line_[at_])) ++at_;
    const std::string name(line_.substr(name_at, at_ - name_at));
    if (name.empty() || !may_begin_name(name.front())) {
      return fail(ErrorKind::kInvalid, fmt::format("the $ in column {} begins no name of a variable; write \\$ for "
                                                   "the character itself",
                                                   begin + 1));
    }
    std::optional<std::string> fallback;
    if (has_brace) {
      const std::size_t end = line_.find('}', at_);
      if (end == std::string_view::npos) {
        return fail(ErrorKind::kInvalid, fmt::format("the {{ in column {} is never closed", begin + 2));
      }
      fallback = default_of(line_.substr(at_, end - at_));
      at_ = end + 1;
    }
    const std::optional<std::string> value = look_up(surroundings_.variable, name);
    put(value ? *value : fallback.value_or(""));
    return {};
  }

  // What stands between the name and the brace: "-default", or "[*]", which makes a word of each word of the value.
  static std::optional<std::string> default_of(std::string_view rest) {
    if (rest.substr(0, 3) == "[*]") rest.remove_prefix(3);
    if (rest.empty() || rest.front() != '-') return std::nullopt;
    return std::string(rest.substr(1));
  }

  void put(char c) {
    word_ += c;
    has_word_ = true;
    ++bytes_;
  }
  void put(std::string_view text) {
    bytes_ += text.size();
    if (bytes_ <= kMaxLineBytes) word_ += text;
    has_word_ = true;
  }

  void end_word() {
    if (has_word_ && words_.size() <= kMaxWords) words_.push_back(std::move(word_));
    word_.clear();
    has_word_ = false;
  }

  std::string_view line_;
  const Surroundings& surroundings_;
  std::size_t at_ = 0;
  std::size_t bytes_ = 0;
  char quote_ = '\0';
  std::size_t quote_at_ = 0;
  bool has_word_ = false;
  std::string word_;
  std::vector<std::string> words_;
};

}  // namespace

Result<std::vector<std::string>> split_line(std::string_view line, const Surroundings& surroundings) {
  return Lexer(line, surroundings).split();
}

}  // namespace bellwether::app::migration
