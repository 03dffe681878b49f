#include "certificates.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "app/migration/haproxy/lexer.h"
#include "bellwether/base/visible.h"

namespace bellwether::app::migration {
namespace {

constexpr std::size_t kMaxCertificates = 200;

bool ends_with(std::string_view text, std::string_view ending) {
  return text.size() >= ending.size() && text.substr(text.size() - ending.size()) == ending;
}

// What HAProxy does not take for a certificate either when it reads a directory.
bool is_beside(std::string_view name) {
  constexpr std::array<std::string_view, 5> kEndings = {".issuer", ".ocsp", ".sctl", ".key", ".dhparam"};
  return std::any_of(kEndings.begin(), kEndings.end(), [&](std::string_view each) { return ends_with(name, each); });
}

class Certificates {
 public:
  Certificates(const Line& line, Context& context) : line_(line), context_(context) {}

  void add(const std::string& path) {
    if (const auto names = look_up(context_.surroundings.list_directory, path)) return add_directory(path, *names);
    if (files_.size() < kMaxCertificates) files_.push_back(path);
  }

  // Each line: FILE [\[OPTIONS\]] [NAMES].
  void add_list(const std::string& path) {
    const auto text = look_up(context_.surroundings.read_file, path);
    if (!text) {
      return context_.notes.lost(
          line_, fmt::format("{} cannot be read here: name its certificates in tls_cert", for_people(path)));
    }
    std::string_view rest = *text;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      add_list_line(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }

  [[nodiscard]] std::string json() const {
    if (files_.empty()) return "";
    if (files_.size() == 1) return json_of(files_.front());
    std::string out;
    for (const std::string& each : files_) out += fmt::format("{}{}", out.empty() ? "[" : ", ", json_of(each));
    return out + "]";
  }

 private:
  void add_directory(const std::string& path, const std::vector<std::string>& names) {
    const std::string folder = ends_with(path, "/") ? path : path + "/";
    for (const std::string& name : names) {
      if (!is_beside(name) && files_.size() < kMaxCertificates) files_.push_back(folder + name);
    }
    context_.notes.note(line_,
                        "the files that are in the directory now are named: new ones are not found by themselves");
  }

  void add_list_line(std::string_view text) {
    const auto words = split_line(text, {});
    if (!words || words->empty()) return;
    add(context_.file_name("crt-base", words->front()));
    if (words->size() == 1) return;
    context_.notes.note(line_,
                        "a client is shown the certificate whose subjectAltName has the name that it asks for: "
                        "filters and options of the list are left out");
  }

  // A key of its own file is named beside it; else it is in the same file.
  [[nodiscard]] std::string json_of(const std::string& file) const {
    const std::string key = file + ".key";
    if (!look_up(context_.surroundings.read_file, key)) return json_string(file);
    return fmt::format("{{\"cert\": {}, \"key\": {}}}", json_string(file), json_string(key));
  }

  const Line& line_;
  Context& context_;
  std::vector<std::string> files_;
};

}  // namespace

std::string certificates_of(const Line& line, const Parameters& parameters, Context& context) {
  Certificates found(line, context);
  for (const std::string& each : parameters.all("crt")) found.add(context.file_name("crt-base", each));
  for (const std::string& each : parameters.all("crt-list")) found.add_list(each);
  return found.json();
}

}  // namespace bellwether::app::migration
