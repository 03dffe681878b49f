#include "proxy/core/dialogue.h"

#include <string>

#include "catch.hpp"

namespace bellwether::proxy {
namespace {

constexpr TimePoint kStart{100s};

std::string record(char type, std::size_t size) {
  return std::string{type, '\x03', '\x03', static_cast<char>(size >> 8U), static_cast<char>(size)} +
         std::string(size, 'x');
}

bool is_aside(const std::string& bytes) { return is_tls_aside(bytes.data(), bytes.size()); }

}  // namespace

TEST_CASE("a client waits from its words until the node's next words", "[proxy][dialogue]") {
  Dialogue dialogue;
  CHECK_FALSE(dialogue.client_waits());
  dialogue.client_spoke(kStart);
  CHECK(dialogue.client_waits());
  CHECK(dialogue.client_waited(kStart + 3s) == 3s);
  dialogue.node_spoke(1);
  CHECK_FALSE(dialogue.client_waits());
}

TEST_CASE("what a client says after the node, or after a pause, begins a message", "[proxy][dialogue]") {
  Dialogue dialogue;
  CHECK(dialogue.begins_message(kStart));
  dialogue.client_spoke(kStart);
  CHECK_FALSE(dialogue.begins_message(kStart + 19ms));
  CHECK(dialogue.begins_message(kStart + 20ms));
  dialogue.node_spoke(1);
  CHECK(dialogue.begins_message(kStart + 1ms));
}

TEST_CASE("in plain text the first answer counts, in TLS the third", "[proxy][dialogue]") {
  Dialogue plain;
  plain.client_spoke(kStart);
  CHECK_FALSE(plain.has_short_answer());
  plain.node_spoke(1);
  CHECK(plain.has_short_answer());

  Dialogue tls;
  tls.set_tls(true);
  for (int turn = 1; turn <= 4; ++turn) {
    tls.client_spoke(kStart);
    tls.client_spoke(kStart);
    tls.node_spoke(1);
    CHECK(tls.has_short_answer() == (turn >= 3));
  }
}

TEST_CASE("an answer of more than 64 KiB is a long one, until the client speaks again", "[proxy][dialogue]") {
  Dialogue dialogue;
  dialogue.client_spoke(kStart);
  dialogue.node_spoke(Dialogue::kShortAnswer);
  CHECK(dialogue.has_short_answer());
  dialogue.node_spoke(1);
  CHECK_FALSE(dialogue.has_short_answer());
  CHECK(dialogue.is_long_answer());
  dialogue.client_spoke(kStart);
  dialogue.node_spoke(1);
  CHECK(dialogue.has_short_answer());
}

TEST_CASE("a TLS record that is too short for a request is an aside", "[proxy][dialogue]") {
  CHECK(is_aside(record(23, 26)));  // SETTINGS acknowledgement
  CHECK(is_aside(record(23, 30)));  // WINDOW_UPDATE
  CHECK_FALSE(is_aside(record(23, 31)));
  CHECK_FALSE(is_aside(record(22, 26)));                   // a handshake message
  CHECK_FALSE(is_aside(record(23, 10) + record(23, 10)));  // two
  CHECK_FALSE(is_aside(record(23, 26).substr(0, 20)));     // a part of one
  CHECK_FALSE(is_aside(""));
  CHECK_FALSE(is_aside("GET / HTTP/1.1\r\n"));
}

}  // namespace bellwether::proxy
