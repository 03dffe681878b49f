// A client's whole stream, head after body after head, sent on: what a node reads of it are the same requests, and to
// send them on once more changes no byte.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "bellwether/http/body.h"
#include "bellwether/http/chunk_writer.h"
#include "bellwether/http/forward.h"
#include "bellwether/http/head.h"

using namespace bellwether::http;

namespace {

struct Message {
  std::string method;
  std::string target;
  std::string body;
  friend bool operator==(const Message&, const Message&) = default;
};

struct Relayed {
  std::vector<Message> messages;
  std::string sent_on;
};

// The body's content, also appended to `out` as it is framed anew; false if it is broken or not all there.
bool relay_body(std::string_view& rest, BodyFraming framing, std::string& content, std::string& out) {
  BodyReader reader(framing);
  while (!reader.done()) {
    const BodyReader::Bite bite = reader.feed(rest);
    if (bite.status == ParseStatus::kRejected) return false;
    rest.remove_prefix(bite.consumed);
    content += bite.content;
    if (framing.kind == BodyKind::kChunked) {
      append_chunk(out, bite.content);
    } else {
      out += bite.content;
    }
    if (bite.consumed == 0 && !reader.done()) return false;
  }
  if (framing.kind == BodyKind::kChunked) out += kLastChunk;
  return true;
}

// All whole messages up to the first that is refused or says close.
Relayed relay(std::string_view rest) {
  Relayed relayed;
  RequestHead head;
  do {
    if (parse_request_head(rest, {}, head).status != ParseStatus::kDone) break;
    rest.remove_prefix(head.bytes);
    Message message{std::string(head.method), std::string(head.target), {}};
    std::string out;
    append_request_head(out, head, {.host = "fallback:1"});
    if (!relay_body(rest, head.body, message.body, out)) break;
    relayed.messages.push_back(std::move(message));
    relayed.sent_on += out;
  } while (head.keep_alive);
  return relayed;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Relayed first = relay({reinterpret_cast<const char*>(data), size});
  const Relayed second = relay(first.sent_on);
  if (second.messages != first.messages || second.sent_on != first.sent_on) std::abort();
  return 0;
}
