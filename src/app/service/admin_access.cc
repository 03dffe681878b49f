#include "admin_access.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "app/process/log.h"
#include "bellwether/base/ip_range.h"
#include "bellwether/base/text.h"

namespace bellwether::app {
namespace {

constexpr std::size_t kMinToken = 16;
constexpr std::size_t kMaxToken = 512;

// As the kernel knows it, and without its domain.
std::vector<std::string> machine_names() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return {};
  const std::string whole = lower_ascii(name.data());
  return {whole, whole.substr(0, whole.find('.'))};
}

bool is_visible(char c) { return c > ' ' && c < '\x7f'; }

}  // namespace

Result<std::string> read_token(const std::string& file) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> open(std::fopen(file.c_str(), "rb"), &std::fclose);
  if (!open) return fail(ErrorKind::kUnavailable, fmt::format("cannot read {}: {}", file, std::strerror(errno)));
  std::string text(kMaxToken + 3, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), open.get()));
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  if (text.size() < kMinToken || text.size() > kMaxToken || !std::all_of(text.begin(), text.end(), is_visible)) {
    return fail(ErrorKind::kInvalid, fmt::format("{} must hold one line of {} to {} visible ASCII characters, such as "
                                                 "`openssl rand -hex 32` gives",
                                                 file, kMinToken, kMaxToken));
  }
  return text;
}

std::vector<std::string> admin_hosts(const config::Config& config) {
  std::vector<std::string> hosts = machine_names();
  for (const std::string& name : config.admin_hosts) hosts.push_back(lower_ascii(name));
  return hosts;
}

Result<admin::AccessOptions> admin_access(const config::Config& config) {
  admin::AccessOptions access;
  access.hosts = admin_hosts(config);
  if (config.admin_token_file.empty()) return access;
  auto token = read_token(config.admin_token_file);
  if (!token) return tl::unexpected(token.error().within("admin_token_file"));
  access.token = std::move(*token);
  struct stat status {};
  if (::stat(config.admin_token_file.c_str(), &status) == 0 && (status.st_mode & S_IROTH) != 0) {
    log::warn("admin_token_readable", {{"file", config.admin_token_file},
                                       {"why", std::string("every user of this machine can read it; chmod o-r")}});
  }
  return access;
}

bool is_exposed(const net::Address& address) {
  static const std::vector<IpRange> kLoopback = {*IpRange::parse("127.0.0.0/8"), *IpRange::parse("::1")};
  const std::string host = address.host();
  return !address.is_unix() && !is_in_any(host.substr(0, host.find('%')), kLoopback);
}

void warn_if_exposed(const net::Address& admin, const admin::AccessOptions& access) {
  if (!is_exposed(admin) || !access.token.empty()) return;
  log::warn("admin_exposed",
            {{"address", admin.to_string()},
             {"why", std::string("whoever reaches this address reads nodes, addresses and failovers; set "
                                 "admin_token_file, or listen on 127.0.0.1")}});
}

}  // namespace bellwether::app
