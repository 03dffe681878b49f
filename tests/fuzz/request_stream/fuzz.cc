// A client's whole stream, head after body after head, sent on: what a node reads of it are the same requests, and to
// send them on once more changes no byte. In whatever pieces the stream arrives, it says the same.
#include <algorithm>
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

// What has come of the stream so far.
class Arriving {
 public:
  Arriving(std::string_view all, std::size_t step) : all_(all), step_(step), arrived_(std::min(step, all.size())) {}
  [[nodiscard]] std::string_view here() const { return all_.substr(0, arrived_); }
  void use(std::size_t n) {
    all_.remove_prefix(n);
    arrived_ -= n;
  }
  // False: that was all.
  bool wait() {
    if (arrived_ == all_.size()) return false;
    arrived_ = std::min(arrived_ + step_, all_.size());
    return true;
  }

 private:
  std::string_view all_;
  std::size_t step_;
  std::size_t arrived_;
};

// The body's content, also appended to `out` as it is framed anew; false if it is broken or not all there.
bool relay_body(Arriving& in, BodyFraming framing, std::string& content, std::string& out) {
  BodyReader reader(framing);
  while (!reader.done()) {
    const BodyReader::Bite bite = reader.feed(in.here());
    if (bite.status == ParseStatus::kRejected) return false;
    content += bite.content;
    if (framing.kind == BodyKind::kChunked) {
      append_chunk(out, bite.content);
    } else {
      out += bite.content;
    }
    in.use(bite.consumed);
    if (!reader.done() && bite.consumed == 0 && !in.wait()) return false;
  }
  if (framing.kind == BodyKind::kChunked) out += kLastChunk;
  return true;
}

// All whole messages up to the first that is refused or says close.
Relayed relay(Arriving in) {
  Relayed relayed;
  RequestHead head;
  do {
    ParseOutcome parsed = parse_request_head(in.here(), {}, head);
    while (parsed.status == ParseStatus::kNeedMore && in.wait()) parsed = parse_request_head(in.here(), {}, head);
    if (parsed.status != ParseStatus::kDone) break;
    Message message{std::string(head.method), std::string(head.target), {}};
    std::string out;
    append_request_head(out, head, {.host = "fallback:1"});
    in.use(head.bytes);  // what `head` points into stands still
    if (!relay_body(in, head.body, message.body, out)) break;
    relayed.messages.push_back(std::move(message));
    relayed.sent_on += out;
  } while (head.keep_alive);
  return relayed;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const Relayed first = relay({input, size});
  const Relayed second = relay({first.sent_on, first.sent_on.size()});
  if (second.messages != first.messages || second.sent_on != first.sent_on) std::abort();
  // However it arrives.
  const std::size_t step = size == 0 ? 1 : 1 + data[size - 1] % 61;
  if (relay({input, step}).messages != first.messages) std::abort();
  return 0;
}
