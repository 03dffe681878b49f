#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "catch.hpp"
#include "proxy/core/hold.h"

namespace bellwether::proxy {
namespace {

struct Waiter final : WaitLink {
  explicit Waiter(char n) : name(n) {}
  char name;
};

struct Line {
  explicit Line(const std::string& names) {
    for (const char name : names) add(name);
  }
  Waiter& add(char name) {
    waiters.push_back(std::make_unique<Waiter>(name));
    queue.push_back(*waiters.back());
    return *waiters.back();
  }
  Waiter& at(std::size_t i) { return *waiters[i]; }
  // Who was offered, in order.
  std::string offered(const std::function<bool(Waiter&)>& visit) {
    std::string all;
    queue.offer([&](WaitLink& link) {
      auto& waiter = static_cast<Waiter&>(link);
      all += waiter.name;
      return visit(waiter);
    });
    return all;
  }
  std::string names() {
    return offered([](Waiter&) { return true; });
  }

  WaitQueue queue;
  std::vector<std::unique_ptr<Waiter>> waiters;
};

}  // namespace

TEST_CASE("who waits is offered in the order of coming, but for those who waited before", "[proxy][wait]") {
  Line line("abc");
  CHECK(line.names() == "abc");
  line.queue.remove(line.at(1));
  CHECK(line.names() == "ac");
  CHECK_FALSE(line.at(1).is_queued());
  line.queue.push_front(line.at(1));
  CHECK(line.names() == "bac");
  line.waiters.erase(line.waiters.begin());
  CHECK(line.names() == "bc");
}

TEST_CASE("an offer ends when it is told to", "[proxy][wait]") {
  Line line("abc");
  CHECK(line.offered([](const Waiter& waiter) { return waiter.name != 'b'; }) == "ab");
  CHECK(line.names() == "abc");
}

TEST_CASE("one that leaves when it is offered, and one that comes meanwhile, do not disturb the others",
          "[proxy][wait]") {
  Line line("abc");
  CHECK(line.offered([&](Waiter& waiter) {
    if (waiter.name == 'b') line.queue.remove(waiter);
    if (waiter.name == 'c') line.add('d');
    return true;
  }) == "abc");
  CHECK(line.names() == "acd");
}

TEST_CASE("an offer within an offer does nothing", "[proxy][wait]") {
  Line line("ab");
  std::string inner;
  CHECK(line.offered([&](Waiter&) {
    inner += line.names();
    return true;
  }) == "ab");
  CHECK(inner.empty());
  CHECK(line.names() == "ab");
}

TEST_CASE("who has left and comes back has other neighbours", "[proxy][wait]") {
  Line line("abc");
  for (const std::size_t one : {std::size_t{1}, std::size_t{2}, std::size_t{0}}) {
    line.queue.remove(line.at(one));
    line.queue.push_front(line.at(one));
  }
  CHECK(line.names() == "acb");
  line.queue.remove(line.at(1));
  line.queue.push_back(line.at(1));
  CHECK(line.names() == "acb");
  for (const std::size_t one : {std::size_t{0}, std::size_t{1}, std::size_t{2}}) {
    CHECK_FALSE(line.queue.empty());
    line.queue.remove(line.at(one));
  }
  CHECK(line.queue.empty());
  line.add('d');
  CHECK(line.names() == "d");
}

TEST_CASE("an offer ends where another than the offered one has left", "[proxy][wait]") {
  Line line("abc");
  CHECK(line.offered([&](Waiter&) {
    if (line.at(1).is_queued()) line.queue.remove(line.at(1));
    return true;
  }) == "a");
  CHECK(line.names() == "ac");
}

}  // namespace bellwether::proxy
