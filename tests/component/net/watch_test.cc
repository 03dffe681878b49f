#include "bellwether/net/watch.h"

#include <array>
#include <functional>

#include "component/net/stream_pair.h"

using namespace bellwether;
using namespace bellwether::net;
using namespace bellwether::net::testing;

namespace {

struct Recorder final : ReadinessHandler {
  virtual ~Recorder() = default;
  std::vector<Readiness> seen;
  std::function<void(Readiness)> then = [](Readiness) {};
  void on_ready(Readiness ready) override {
    seen.push_back(ready);
    then(ready);
  }
};

struct Connected {
  std::unique_ptr<Loop> loop = make_loop();
  Socket ours, theirs;
  Connected() {
    auto listening = bind_listener(*Address::parse("127.0.0.1:0"), {});
    REQUIRE(listening);
    Listener listener(*loop, std::move(*listening), [&](Socket s, const Address&) { theirs = std::move(s); });
    ours = std::move(*Socket::connect(listener.address(), std::nullopt, {}));
    REQUIRE(loop->run_until([&] { return theirs.is_open(); }, 5s));
  }
};

}  // namespace

TEST_CASE("a watch tells of bytes, of room and of the peer's end", "[net]") {
  Connected pair;
  Recorder recorder;
  Watch watch;
  REQUIRE(watch.open(*pair.loop, pair.ours.fd(), recorder));
  REQUIRE(pair.loop->run_until([&] { return !recorder.seen.empty(); }, 5s));
  CHECK(recorder.seen.back().writable);
  CHECK_FALSE(recorder.seen.back().readable);
  REQUIRE(pair.theirs.write(std::string_view("x")).bytes == 1);
  REQUIRE(pair.loop->run_until([&] { return recorder.seen.back().readable; }, 5s));
  CHECK_FALSE(recorder.seen.back().closed);
  pair.theirs.shutdown_write();
  REQUIRE(pair.loop->run_until([&] { return recorder.seen.back().closed; }, 5s));
}

TEST_CASE("a watch tells each edge once, and again when asked to", "[net]") {
  Connected pair;
  Recorder recorder;
  Watch watch;
  REQUIRE(pair.theirs.write(std::string_view("unread")).bytes == 6);
  REQUIRE(watch.open(*pair.loop, pair.ours.fd(), recorder));
  REQUIRE(pair.loop->run_until([&] { return !recorder.seen.empty() && recorder.seen.back().readable; }, 5s));
  const auto calls = recorder.seen.size();
  CHECK_FALSE(pair.loop->run_until([&] { return recorder.seen.size() > calls; }, 20ms));
  watch.call_again({.readable = true});
  CHECK(recorder.seen.size() == calls);
  REQUIRE(pair.loop->run_until([&] { return recorder.seen.size() > calls; }, 5s));
  CHECK(recorder.seen.back().readable);
  CHECK_FALSE(recorder.seen.back().writable);
}

TEST_CASE("a watch closed in its own call stays silent, and can be opened again", "[net]") {
  Connected pair;
  Recorder recorder;
  Watch watch;
  recorder.then = [&](Readiness) {
    watch.call_again({.readable = true});
    watch.close();
  };
  REQUIRE(watch.open(*pair.loop, pair.ours.fd(), recorder));
  REQUIRE(pair.loop->run_until([&] { return !recorder.seen.empty(); }, 5s));
  CHECK_FALSE(watch.is_open());
  CHECK_FALSE(pair.loop->run_until([&] { return recorder.seen.size() > 1; }, 20ms));
  REQUIRE(watch.open(*pair.loop, pair.ours.fd(), recorder));
  CHECK(pair.loop->run_until([&] { return recorder.seen.size() > 1; }, 5s));
}

TEST_CASE("a watch that calls itself again does not keep others from their turn", "[net]") {
  Connected pair;
  Recorder recorder;
  Watch watch;
  recorder.then = [&](Readiness) { watch.call_again({.readable = true}); };
  REQUIRE(watch.open(*pair.loop, pair.ours.fd(), recorder));
  bool posted = false;
  bool fired = false;
  pair.loop->post([&] { posted = true; });
  Timer timer(*pair.loop, [&] { fired = true; });
  timer.arm_in(2ms);
  CHECK(pair.loop->run_until([&] { return posted && fired; }, 5s));
}

TEST_CASE("bytes are spliced from socket to socket through a pipe", "[net]") {
  Connected from;
  Connected to;
  auto pipe = Pipe::create();
  REQUIRE(pipe);
  REQUIRE(from.theirs.write(std::string_view("spliced")).bytes == 7);
  CHECK(from.ours.splice_to_pipe(pipe->write_fd(), 65536).bytes == 7);
  CHECK(from.ours.splice_to_pipe(pipe->write_fd(), 65536).status == IoStatus::kAgain);
  CHECK(to.ours.splice_from_pipe(pipe->read_fd(), 65536).bytes == 7);
  CHECK(to.ours.splice_from_pipe(pipe->read_fd(), 65536).status == IoStatus::kAgain);
  std::array<char, 32> buffer{};
  CHECK(to.theirs.peek(buffer).bytes == 7);
  CHECK(to.theirs.read(buffer).bytes == 7);
  CHECK(std::string_view(buffer.data(), 7) == "spliced");
  from.theirs.close();
  CHECK(from.ours.splice_to_pipe(pipe->write_fd(), 65536).status == IoStatus::kEof);
}
