#include "proxy/exchange/send_queue.h"

#include "bellwether/base/byte_queue.h"
#include "catch.hpp"

namespace bellwether::proxy {
namespace {

void start(SendQueue& queue, std::string_view head) {
  queue.start() += head;
  queue.end_head();
}

}  // namespace

TEST_CASE("what was sent can be sent again, with another head", "[proxy]") {
  SendQueue queue;
  start(queue, "head|");
  queue.tail() += "body";
  queue.mark_sent(9);
  CHECK(queue.unsent().empty());
  REQUIRE(queue.can_rewind());
  queue.rewind();
  queue.replace_head("h|");
  CHECK(queue.unsent() == "h|body");
  CHECK(queue.body_size() == 4);
}

TEST_CASE("what is not kept any more is dropped once it was sent, and cannot be sent again", "[proxy]") {
  SendQueue queue;
  start(queue, "head|");
  queue.tail() += "body";
  queue.stop_keeping();
  CHECK(queue.can_rewind());
  queue.mark_sent(8);
  CHECK(queue.unsent() == "y");
  CHECK(!queue.can_rewind());
}

TEST_CASE("the next request may be sent again although the one before was too big", "[proxy]") {
  SendQueue queue;
  start(queue, "a");
  queue.stop_keeping();
  queue.mark_sent(1);
  REQUIRE(!queue.can_rewind());
  start(queue, "b");
  CHECK(queue.keeps());
  CHECK(queue.can_rewind());
  CHECK(queue.unsent() == "b");
}

TEST_CASE("a byte queue gives back in order what was put in, however it is used up", "[proxy]") {
  ByteQueue queue;
  queue.append("abcdef");
  queue.consume(4);
  queue.append("gh");
  CHECK(queue.view() == "efgh");
  CHECK(queue.size() == 4);
  queue.consume(4);
  CHECK(queue.empty());
}

}  // namespace bellwether::proxy
