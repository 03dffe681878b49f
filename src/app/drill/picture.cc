#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "bellwether/base/text.h"
#include "drill.h"

namespace bellwether::app::drill {
namespace {

constexpr double kWidth = 900;
constexpr double kHeight = 320;
constexpr double kLeft = 70;
constexpr double kRight = 20;
constexpr double kTop = 60;
constexpr double kBottom = 40;

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += static_cast<unsigned char>(c) < ' ' ? '?' : c;
    }
  }
  return out;
}

// From 1 ms to the longest, logarithmic: what is usual and what a failover takes are both seen.
class Scale {
 public:
  explicit Scale(const std::vector<Asking>& askings) {
    for (const Asking& each : askings) {
      begin_ = std::min(begin_, each.sent);
      end_ = std::max(end_, each.ended);
      longest_ms_ = std::max(longest_ms_, to_millis(each.ended - each.sent));
    }
    if (askings.empty()) begin_ = end_;
  }

  [[nodiscard]] double x(TimePoint at) const {
    const double whole = std::max(to_seconds(end_ - begin_), 1e-3);
    return kLeft + (kWidth - kLeft - kRight) * std::clamp(to_seconds(at - begin_) / whole, 0.0, 1.0);
  }
  [[nodiscard]] double y(double ms) const {
    const double height = kHeight - kTop - kBottom;
    return kHeight - kBottom - height * std::log10(std::clamp(ms, 1.0, longest_ms_)) / std::log10(longest_ms_);
  }
  [[nodiscard]] double longest_ms() const { return longest_ms_; }
  [[nodiscard]] Duration whole() const { return end_ - begin_; }
  [[nodiscard]] TimePoint begin() const { return begin_; }

 private:
  TimePoint begin_ = TimePoint::max();
  TimePoint end_ = TimePoint::min();
  double longest_ms_ = 10;
};

std::string axes(const Scale& scale) {
  std::string out;
  constexpr int kPowers = 7;
  int next = 1;
  for (int i = 0; i < kPowers && next <= scale.longest_ms(); ++i, next *= 10) {
    const double ms = next;
    out += fmt::format(
        "<line class=\"grid\" x1=\"{0}\" y1=\"{2:.1f}\" x2=\"{1}\" y2=\"{2:.1f}\"/>"
        "<text x=\"{3}\" y=\"{2:.1f}\" text-anchor=\"end\" dominant-baseline=\"middle\">{4:.0f} ms</text>\n",
        kLeft, kWidth - kRight, scale.y(ms), kLeft - 6, ms);
  }
  constexpr int kParts = 6;
  for (int i = 0; i <= kParts; ++i) {
    const Duration after = scale.whole() * i / kParts;
    out += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{:.1f} s</text>\n",
                       scale.x(scale.begin() + after), kHeight - kBottom + 18, to_seconds(after));
  }
  return out;
}

std::string lines_of(const std::vector<Mark>& marks, const Scale& scale) {
  std::string out;
  double row = kTop - 6;
  for (const Mark& each : marks) {
    const double x = scale.x(each.at);
    // The first one's label stands before it, where there is room.
    const bool is_right = x > kWidth / (&each == &marks.front() ? 4 : 2);
    out += fmt::format(
        "<line class=\"mark\" x1=\"{0:.1f}\" y1=\"{1}\" x2=\"{0:.1f}\" y2=\"{2}\"/>"
        "<text x=\"{3:.1f}\" y=\"{1}\" text-anchor=\"{4}\">{5}</text>\n",
        x, row, kHeight - kBottom, is_right ? x - 4 : x + 4, is_right ? "end" : "start", escaped(each.label));
    row -= 14;
  }
  return out;
}

}  // namespace

std::string picture_of(const std::vector<Asking>& askings, const std::vector<Mark>& marks, const std::string& title) {
  const Scale scale(askings);
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" role=\"img\" aria-labelledby=\"title\">\n"
      "<title id=\"title\">{2}</title>\n"
      "<style>text{{font:12px sans-serif;fill:#333}}.grid{{stroke:#ddd}}.mark{{stroke:#06c;stroke-dasharray:4 3}}"
      ".ok{{fill:#283}}.failed{{fill:#c22}}@media(prefers-color-scheme:dark){{text{{fill:#ccc}}.grid{{stroke:#444}}}}"
      "</style>\n<text x=\"{3}\" y=\"16\">{2}</text>\n",
      kWidth, kHeight, escaped(title), kLeft);
  out += axes(scale) + lines_of(marks, scale);
  for (const Asking& each : askings) {
    out += fmt::format("<circle class=\"{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"2\"/>\n",
                       each.failure.empty() ? "ok" : "failed", scale.x(each.sent),
                       scale.y(to_millis(each.ended - each.sent)));
  }
  return out + "</svg>\n";
}

}  // namespace bellwether::app::drill
