#include "app/files/certificates.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "app/files/file_stamp.h"
#include "component/net/stream_pair.h"
#include "support/gate.h"

using namespace bellwether;
using namespace bellwether::net::testing;
namespace fs = std::filesystem;

namespace {

// A folder of its own, removed at the end.
struct Folder {
  Folder() : path(fs::temp_directory_path() / ("bellwether-" + std::to_string(::getpid()))) {
    fs::remove_all(path);
    fs::create_directories(path);
  }
  ~Folder() { fs::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::string file(const std::string& name) const { return (path / name).string(); }
  void put(const std::string& what, const std::string& as) const {
    fs::copy_file(cert(what), path / as, fs::copy_options::overwrite_existing);
  }
  fs::path path;
};

struct Watched {
  explicit Watched(Duration interval = 20ms) {
    put_pair("server");
    std::optional<Result<void>> loaded;
    certificates.load_later(nullptr, [&loaded](const Result<void>& outcome) { loaded = outcome; });
    REQUIRE(loop->run_until([&loaded] { return loaded.has_value(); }, 10s));
    REQUIRE(*loaded);
    certificates.watch(interval, [this](const app::Certificates::Context& made) -> Result<void> {
      handed_over.push_back(made);
      return {};
    });
  }
  void put_pair(const std::string& name) const {
    folder.put(name + ".pem", "tls.crt");
    folder.put(name + ".key", "tls.key");
  }
  ~Watched() { gate->set_shut(false); }
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;

  bool until(const std::function<bool()>& done) {
    // What the other thread does raises no event on this loop before it has done it all.
    net::Timer nudge(*loop, [&] { nudge.arm_in(2ms); });
    nudge.arm_in(2ms);
    return loop->run_until(done, 20s);
  }
  // Some looks later.
  void pass(Duration time) {
    net::Timer timer(*loop, [this] { over = true; });
    timer.arm_in(time);
    REQUIRE(until([this] { return over; }));
    over = false;
  }

  Folder folder;
  std::unique_ptr<net::Loop> loop = make_loop();
  net::TlsServerOptions options{.cert_file = folder.file("tls.crt"), .key_file = folder.file("tls.key")};
  // Where the thread that reads the files waits while it is shut.
  std::shared_ptr<bellwether::testing::Gate> gate = std::make_shared<bellwether::testing::Gate>(false);
  app::Certificates certificates{
      *loop, "clients", {options.cert_file, options.key_file, ""}, [options = options, gate = gate] {
        gate->pass();
        return net::TlsContext::server(options);
      }};
  std::vector<app::Certificates::Context> handed_over;
  bool over = false;
};

}  // namespace

TEST_CASE("a changed pair is read once, and handed over", "[app][tls]") {
  Watched it;
  const auto first = it.certificates.context();
  it.pass(200ms);
  CHECK(it.handed_over.empty());
  it.put_pair("common");
  REQUIRE(it.until([&] { return !it.handed_over.empty(); }));
  it.pass(200ms);
  CHECK(it.handed_over.size() == 1);
  CHECK(it.certificates.context() == it.handed_over.front());
  CHECK(it.certificates.context() != first);
  CHECK(it.certificates.counts().reloads == 1);
  CHECK(it.certificates.counts().not_after == it.handed_over.front()->not_after());
}

TEST_CASE("half of a pair keeps the old one, is counted once, and is taken when the other half comes", "[app][tls]") {
  Watched it;
  const auto first = it.certificates.context();
  it.folder.put("common.pem", "tls.crt");
  REQUIRE(it.until([&] { return it.certificates.counts().failures > 0; }));
  it.pass(200ms);
  CHECK(it.certificates.counts().failures == 1);
  CHECK_FALSE(it.certificates.counts().is_current);
  CHECK(it.certificates.context() == first);
  it.folder.put("common.key", "tls.key");
  REQUIRE(it.until([&] { return !it.handed_over.empty(); }));
  CHECK(it.certificates.counts().is_current);
}

TEST_CASE("a file that goes away for a moment harms nobody", "[app][tls]") {
  Watched it;
  fs::rename(it.folder.path / "tls.key", it.folder.path / "elsewhere");
  REQUIRE(it.until([&] { return it.certificates.counts().failures == 1; }));
  fs::rename(it.folder.path / "elsewhere", it.folder.path / "tls.key");
  REQUIRE(it.until([&] { return it.certificates.counts().is_current; }));
}

TEST_CASE("what is being read when it is stopped is not handed over", "[app][tls]") {
  Watched it;
  it.gate->set_shut(true);
  it.put_pair("common");
  REQUIRE(it.until([&] { return it.gate->arrived() == 2; }));
  it.certificates.stop();
  it.gate->set_shut(false);
  REQUIRE(it.until([&] { return !it.certificates.is_reading(); }));
  it.pass(50ms);
  CHECK(it.handed_over.empty());
}

TEST_CASE("files that are loaded later are used, or refused beside a certificate that is valid", "[app][tls]") {
  Watched it;
  const auto load = [&it](const net::TlsServerOptions& options, const app::Certificates::Context& before) {
    app::Certificates later(*it.loop, "clients", {options.cert_file, options.key_file},
                            [options] { return net::TlsContext::server(options); });
    std::optional<Result<void>> told;
    later.load_later(before, [&told](const Result<void>& done) { told = done; });
    CHECK_FALSE(told);
    REQUIRE(it.until([&] { return told.has_value(); }));
    CHECK((later.context() != nullptr) == told->has_value());
    return *told;
  };
  CHECK(load(it.options, it.certificates.context()));
  it.options.key_file = cert("common.key");
  const auto refused = load(it.options, it.certificates.context());
  REQUIRE_FALSE(refused);
  it.options.cert_file = it.options.key_file = it.folder.file("gone.pem");
  const auto gone = load(it.options, nullptr);
  REQUIRE_FALSE(gone);
  CHECK_THAT(gone.error().message, CATCH_CONTAINS("gone.pem"));
}

TEST_CASE("a swap of the symbolic link above the files is seen, as Kubernetes swaps volumes", "[app][tls]") {
  Folder folder;
  for (const char* name : {"server", "common"}) {
    fs::create_directories(folder.path / name);
    folder.put(std::string(name) + ".pem", std::string(name) + "/tls.crt");
  }
  fs::create_directory_symlink("server", folder.path / "..data");
  fs::create_symlink("..data/tls.crt", folder.path / "tls.crt");
  const std::vector<std::string> files = {folder.file("tls.crt")};
  const std::string before = app::stamp_of(files);
  CHECK(app::stamp_of(files) == before);
  fs::create_directory_symlink("common", folder.path / "..new");
  fs::rename(folder.path / "..new", folder.path / "..data");
  CHECK(app::stamp_of(files) != before);
}

TEST_CASE("a file that comes into a directory, or changes there, is seen", "[app][tls]") {
  Folder folder;
  const std::vector<std::string> files = {folder.path.string()};
  const std::string empty = app::stamp_of(files);
  folder.put("ca.pem", "a.0");
  const std::string one = app::stamp_of(files);
  CHECK(one != empty);
  std::ofstream(folder.path / "a.0", std::ios::app) << "\n";
  CHECK(app::stamp_of(files) != one);
}

TEST_CASE("told to, it reads files that look the same", "[app][tls]") {
  Watched it;
  it.certificates.reload();
  REQUIRE(it.until([&] { return !it.handed_over.empty(); }));
  CHECK(it.certificates.counts().reloads == 1);
}

TEST_CASE("told to while it reads, it reads once more as soon as it is done", "[app][tls]") {
  Watched it(1h);
  it.gate->set_shut(true);
  it.certificates.reload();
  REQUIRE(it.until([&] { return it.gate->arrived() == 2; }));  // load() was the first
  it.put_pair("common");
  it.certificates.reload();
  it.gate->set_shut(false);
  REQUIRE(it.until([&] { return it.handed_over.size() == 2; }));
  CHECK(it.certificates.counts().reloads == 2);
  CHECK(it.gate->arrived() == 3);
}

TEST_CASE("a certificate out of its time does not take the place of a good one", "[app][tls]") {
  Watched it;
  it.put_pair(GENERATE("expired", "not-yet"));
  REQUIRE(it.until([&] { return it.certificates.counts().failures == 1; }));
  CHECK(it.handed_over.empty());
}
