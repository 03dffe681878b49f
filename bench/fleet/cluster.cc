#include "cluster.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "bellwether/base/assert.h"

namespace bellwether::bench {

void Agenda::run_for(Duration duration) {
  const TimePoint until = now_ + duration;
  while (!queue_.empty() && queue_.begin()->first <= until) {
    const auto next = queue_.extract(queue_.begin());
    now_ = next.key();
    next.mapped()();
  }
  now_ = until;
}

void Load::count(int node, TimePoint now) {
  std::vector<std::uint32_t>& slices = slices_[static_cast<std::size_t>(node)];
  slices.resize(std::max(slices.size(), slice(now) + 1));
  ++slices[slice(now)];
}

double Load::mean(TimePoint from, TimePoint to) const { return worst(from, to, to - from); }

double Load::worst(TimePoint from, TimePoint to, Duration window) const {
  const std::size_t begin = slice(from);
  const std::size_t end = slice(to);
  const auto width = static_cast<std::size_t>(window / kSlice);
  std::uint64_t most = 0;
  for (const std::vector<std::uint32_t>& slices : slices_) {
    std::uint64_t sum = 0;
    for (std::size_t i = begin; i < std::min(end, slices.size()); ++i) {
      sum += slices[i];
      if (i >= begin + width) sum -= slices[i - width];
      most = std::max(most, sum);
    }
  }
  return static_cast<double>(most) / to_seconds(window);
}

Cluster::Cluster(Agenda& agenda, ClusterOptions options, std::uint64_t seed)
    : agenda_(agenda),
      options_(std::move(options)),
      model_(options_.model, agenda.now()),
      prng_(seed),
      load_(size(), agenda.now()),
      answered_load_(size(), agenda.now()),
      busy_until_(options_.model.urls.size(), agenda.now()),
      connected_(options_.model.urls.size()) {}

std::uint64_t Cluster::ask(int client, int node, const std::string& path, OnEnd on_end) {
  const std::uint64_t exchange = ++last_exchange_;
  open_[exchange] = Open{client, node, path, std::move(on_end)};
  agenda_.in(one_way(), [this, exchange] { arrive(exchange); });
  return exchange;
}

bool Cluster::forget(std::uint64_t exchange) {
  const auto found = open_.extract(exchange);
  if (found.empty()) return false;
  model_.forget({found.mapped().node, exchange});
  return true;
}

void Cluster::arrive(std::uint64_t exchange) {
  const auto found = open_.find(exchange);
  if (found == open_.end()) return;
  const int node = found->second.node;
  load_.count(node, agenda_.now());
  if (is_stopped(node)) {
    end_later(exchange, End{});
    return;
  }
  answered_load_.count(node, agenda_.now());
  TimePoint& busy_until = busy_until_[static_cast<std::size_t>(node)];
  busy_until = std::max(busy_until, agenda_.now()) + options_.service;
  agenda_.at(busy_until, [this, exchange] { serve(exchange); });
}

void Cluster::serve(std::uint64_t exchange) {
  const auto found = open_.find(exchange);
  if (found == open_.end()) return;
  model_.receive({found->second.node, exchange}, {"GET", found->second.path, {}, ""}, agenda_.now());
  pump();
}

// The network's way back.
void Cluster::end_later(std::uint64_t exchange, End end) {
  agenda_.in(one_way(), [this, exchange, end = std::move(end)] {
    const auto found = open_.extract(exchange);
    if (found.empty()) return;
    auto& connected = connected_[static_cast<std::size_t>(found.mapped().node)];
    if (end.status != 0) {
      connected.insert(found.mapped().client);
    } else {
      connected.erase(found.mapped().client);
    }
    found.mapped().on_end(end);
  });
}

void Cluster::strike(int node, std::string_view fault, Duration argument) {
  const Result<void> done = model_.inject(node, fault, argument, agenda_.now());
  BW_ASSERT(done.has_value());
  pump();
}

void Cluster::pump() {
  for (sim::Action& action : model_.take_actions()) {
    if (const auto* answer = std::get_if<sim::Answer>(&action)) {
      end_later(answer->id.exchange, End{answer->response.status, answer->response.body, {}});
    } else if (const auto& change = std::get<sim::ChangeProcess>(action); change.change == sim::ProcessChange::kStop) {
      cut_all(change.node);
    }
  }
  const TimePoint due = model_.next_due();
  if (due == tick_at_ || due == kNever) return;
  tick_at_ = due;
  agenda_.at(due, [this, due] {
    if (due != tick_at_) return;
    tick_at_ = kNever;
    model_.tick(agenda_.now());
    pump();
  });
}

// Its kernel closes all its connections.
void Cluster::cut_all(int node) {
  std::set<int> idle = std::exchange(connected_[static_cast<std::size_t>(node)], {});
  for (const auto& [exchange, open] : open_) {
    if (open.node != node) continue;
    idle.erase(open.client);
    end_later(exchange, End{0, "", cluster::ProbeFailure::kReset});
  }
  for (const int client : idle) {
    agenda_.in(one_way(), [this, client, node] { on_cut(client, node); });
  }
}

}  // namespace bellwether::bench
