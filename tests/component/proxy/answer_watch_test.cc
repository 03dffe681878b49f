#include "proxy/core/answer_watch.h"

#include <memory>
#include <string>
#include <vector>

#include "bellwether/net/manual_clock.h"
#include "catch.hpp"

namespace bellwether::proxy {
namespace {

// Says on a common board that it has had no answer.
struct Asker final : WaitLink {
  Asker(net::Loop& l, char n, std::string& b) : loop(l), name(n), board(b), asked(l.now()) {}
  [[nodiscard]] TimePoint asked_at() const { return asked; }
  void say_unanswered() {
    late_by = loop.precise_now() - asked;
    board += name;
  }

  net::Loop& loop;
  char name;
  std::string& board;
  TimePoint asked;
  Duration late_by{};
};

struct Fixture {
  Asker& add(char name) {
    askers.push_back(std::make_unique<Asker>(*loop, name, board));
    watch.add(*askers.back());
    return *askers.back();
  }
  [[nodiscard]] bool until_said(const std::string& names) {
    return clock.advance_until(
        *loop, [&] { return board == names; }, 5s);
  }
  // Longer than any of them may wait.
  void let_time_pass() { clock.advance(*loop, 4 * AnswerWatch<Asker>::kLate); }

  net::ManualClock clock;
  std::unique_ptr<net::Loop> loop = net::Loop::create({.clock = &clock}).value();
  std::string board;
  AnswerWatch<Asker> watch{*loop};
  std::vector<std::unique_ptr<Asker>> askers;
};

}  // namespace

TEST_CASE("who has no answer in time says so once, in the order of asking", "[proxy][answer_watch]") {
  Fixture it;
  Asker& first = it.add('a');
  it.let_time_pass();
  CHECK(it.board == "a");
  CHECK(first.late_by >= AnswerWatch<Asker>::kLate);
  CHECK_FALSE(first.is_queued());
  it.add('b');
  it.add('c');
  REQUIRE(it.until_said("abc"));
  it.let_time_pass();
  CHECK(it.board == "abc");
}

TEST_CASE("who asked later is late later", "[proxy][answer_watch]") {
  Fixture it;
  it.add('a');
  it.clock.advance(*it.loop, AnswerWatch<Asker>::kLate / 2);
  Asker& second = it.add('b');
  REQUIRE(it.until_said("a"));
  REQUIRE(it.until_said("ab"));
  CHECK(second.late_by >= AnswerWatch<Asker>::kLate);
}

TEST_CASE("those who ask later and are answered put nobody off", "[proxy][answer_watch]") {
  Fixture it;
  it.add('a');
  for (int i = 0; i < 40 && it.board.empty(); ++i) {
    Asker& other = it.add('b');
    it.clock.advance(*it.loop, AnswerWatch<Asker>::kLate / 4);
    it.watch.remove(other);
  }
  CHECK(it.board == "a");
}

TEST_CASE("who was answered, or is gone, says nothing and keeps nobody behind it waiting", "[proxy][answer_watch]") {
  Fixture it;
  Asker& answered = it.add('a');
  it.add('b');
  it.add('c');
  it.watch.remove(answered);
  it.watch.remove(answered);
  it.askers.erase(it.askers.begin() + 1);
  REQUIRE(it.until_said("c"));
  it.let_time_pass();
  CHECK(it.board == "c");
}

}  // namespace bellwether::proxy
