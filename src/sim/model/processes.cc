#include "processes.h"

#include <utility>

namespace bellwether::sim {

void Processes::start(int node) {
  at(node).state = Process::kRunning;
  actions_.emplace_back(ChangeProcess{node, ProcessChange::kStart});
}

void Processes::stop(int node) {
  at(node) = Node();
  at(node).state = Process::kStopped;
  std::erase_if(delayed_, [&](const auto& entry) { return entry.second.id.node == node; });
  actions_.emplace_back(ChangeProcess{node, ProcessChange::kStop});
}

void Processes::freeze(int node) {
  at(node).state = Process::kFrozen;
  actions_.emplace_back(ChangeProcess{node, ProcessChange::kFreeze});
}

void Processes::thaw(int node) {
  at(node).state = Process::kRunning;
  actions_.emplace_back(ChangeProcess{node, ProcessChange::kThaw});
  for (Answer& held : std::exchange(at(node).held, {})) actions_.emplace_back(std::move(held));
}

void Processes::answer(Answer answer, TimePoint now) {
  const Node& node = at(answer.id.node);
  if (node.state == Process::kStopped) return;
  if (node.delay > Duration{}) {
    delayed_.emplace(now + node.delay, std::move(answer));
  } else {
    let_out(std::move(answer));
  }
}

void Processes::let_out(Answer answer) {
  Node& node = at(answer.id.node);
  if (node.state == Process::kFrozen) {
    node.held.push_back(std::move(answer));
  } else {
    actions_.emplace_back(std::move(answer));
  }
}

void Processes::forget(RequestId id) {
  std::erase_if(at(id.node).held, [&](const Answer& held) { return held.id == id; });
  std::erase_if(delayed_, [&](const auto& entry) { return entry.second.id == id; });
}

void Processes::do_due(TimePoint now) {
  while (!delayed_.empty() && delayed_.begin()->first <= now) {
    let_out(std::move(delayed_.extract(delayed_.begin()).mapped()));
  }
}

std::vector<Action> Processes::take_actions() { return std::exchange(actions_, {}); }

}  // namespace bellwether::sim
