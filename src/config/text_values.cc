#include "text_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "bellwether/base/assert.h"
#include "bellwether/base/text.h"

namespace bellwether::config {
namespace {

struct Setter {
  const Option& option;
  std::string_view text;
  Config& config;

  [[nodiscard]] tl::unexpected<Error> refuse() const {
    return fail(ErrorKind::kInvalid, fmt::format("must be {}, not \"{}\"", expected(option), text));
  }

  Result<void> operator()(const TextField& field) const {
    if (text.find('\0') != std::string_view::npos) return fail(ErrorKind::kInvalid, "contains a zero byte");
    if (!text.empty() && field.accepts != nullptr && !field.accepts(text)) return refuse();
    if (text.empty() && !(Config{}.*field.member).empty()) return refuse();  // nothing cannot mean "off" here
    config.*field.member = std::string(text);
    return {};
  }
  Result<void> operator()(const FlagField& field) const {
    if (text != "true" && text != "false") return refuse();
    config.*field.member = text == "true";
    return {};
  }
  Result<void> operator()(const IntField& field) const {
    if (!field.word_for_zero.empty() && text == field.word_for_zero) {
      config.*field.member = 0;
      return {};
    }
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool is_whole = error == std::errc{} && end == text.data() + text.size();
    const int least = field.word_for_zero.empty() ? field.min : std::max(field.min, 1);
    if (!is_whole || value < least || value > field.max) {
      return fail(ErrorKind::kInvalid,
                  fmt::format("must be {}, not {}", expected(option), text.empty() ? "\"\"" : text));
    }
    config.*field.member = value;
    return {};
  }
  Result<void> operator()(const DurationField& field) const {
    const Result<Duration> value = parse_duration(text);
    if (!value) return tl::unexpected(value.error());
    if (*value < field.min || *value > field.max) return refuse();
    config.*field.member = *value;
    return {};
  }
  Result<void> operator()(const EnumField& field) const {
    const auto found = std::find(field.values.begin(), field.values.end(), text);
    if (found == field.values.end()) {
      const auto meant = nearest(text, field.values);
      Error error = refuse().value();
      if (meant) error.message += fmt::format("; did you mean \"{}\"?", *meant);
      return tl::unexpected(error);
    }
    field.set(config, static_cast<std::size_t>(found - field.values.begin()));
    return {};
  }
  Result<void> operator()(const ListField&) const { return not_scalar(); }
  Result<void> operator()(const CertificatesField&) const { return not_scalar(); }
  Result<void> operator()(const ListenField&) const { return not_scalar(); }
  Result<void> operator()(const NodesField&) const { return not_scalar(); }
  Result<void> operator()(const ClustersField&) const { return not_scalar(); }

 private:
  [[nodiscard]] static Result<void> not_scalar() {
    BW_ASSERT(!"a list is not a scalar");
    return {};
  }
};

}  // namespace

Result<void> set_scalar(const Option& option, std::string_view text, Config& config) {
  return std::visit(Setter{option, text, config}, option.field);
}

}  // namespace bellwether::config
