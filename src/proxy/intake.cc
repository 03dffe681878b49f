#include "intake.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "bellwether/net/proxy_protocol.h"

namespace bellwether::proxy {

class Intake::Entry final : public net::ReadinessHandler {
 public:
  Entry(Intake& intake, Accepted accepted)
      : intake_(intake), accepted_(std::move(accepted)), since_(intake.loop_.now()) {}

  [[nodiscard]] bool open() { return watch_.open(intake_.loop_, accepted_.socket.fd(), *this).has_value(); }
  void close() { watch_.close(); }
  [[nodiscard]] TimePoint since() const { return since_; }
  [[nodiscard]] const Accepted& accepted() const { return accepted_; }
  [[nodiscard]] Accepted take() { return std::move(accepted_); }

  void on_ready(net::Readiness ready) override {
    if (!ready.readable && !ready.closed) return;
    std::array<char, net::kMaxProxyHeader> buffer;
    const net::IoResult seen = accepted_.socket.peek(buffer);
    if (seen.status == net::IoStatus::kAgain) return;
    if (seen.status != net::IoStatus::kOk) return intake_.failed(*this);
    const auto header = net::parse_proxy_header({buffer.data(), seen.bytes});
    if (!header) return intake_.failed(*this);
    if (!header->complete) {
      // The bytes stay in the socket, so the next ones raise an edge.
      if (ready.closed || seen.bytes == buffer.size()) intake_.failed(*this);
      return;
    }
    if (accepted_.socket.read(std::span(buffer).first(header->bytes)).bytes != header->bytes) {
      return intake_.failed(*this);
    }
    if (header->source) accepted_.client = *header->source;
    accepted_.destination = header->destination;
    intake_.done(*this);
  }

 private:
  Intake& intake_;
  Accepted accepted_;
  net::Watch watch_;
  TimePoint since_;
};

Intake::Intake(net::Loop& loop, OnDone on_done, OnFailed on_failed)
    : loop_(loop), on_done_(std::move(on_done)), on_failed_(std::move(on_failed)) {}

Intake::~Intake() = default;

void Intake::add(Accepted accepted) {
  entries_.push_back(std::make_unique<Entry>(*this, std::move(accepted)));
  if (!entries_.back()->open()) failed(*entries_.back());
}

void Intake::tick(TimePoint now) {
  for (std::size_t i = entries_.size(); i-- > 0;) {
    if (now - entries_[i]->since() >= kTimeout) failed(*entries_[i]);
  }
}

void Intake::collect_idle(std::vector<wire::IdleConnection>& into) {
  for (const auto& entry : entries_) {
    into.push_back({wire::Idleness::kSilent, entry->since(), [this, raw = entry.get()] {
                      failed(*raw);
                      return true;
                    }});
  }
}

void Intake::done(Entry& entry) {
  entry.close();
  Accepted accepted = entry.take();
  retire(entry);
  on_done_(std::move(accepted));
}

void Intake::failed(Entry& entry) {
  on_failed_(entry.accepted());  // counted before the client can see it
  entry.close();
  entry.take().socket.close();
  retire(entry);
}

void Intake::retire(Entry& entry) {
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const auto& e) { return e.get() == &entry; });
  if (graveyard_.empty()) loop_.at_turn_end([this] { graveyard_.clear(); });
  graveyard_.push_back(std::move(*found));
  *found = std::move(entries_.back());
  entries_.pop_back();
}

}  // namespace bellwether::proxy
