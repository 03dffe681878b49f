#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <variant>
#include <vector>

#include "bellwether/base/time.h"
#include "bellwether/http/serialize.h"

namespace bellwether::sim {

// A request of some client's connection to `node`.
struct RequestId {
  int node = 0;
  std::uint64_t exchange = 0;
  friend bool operator==(const RequestId&, const RequestId&) = default;
};

// What the model wants done to the outside, in order.
struct Answer {
  RequestId id;
  http::Response response;
};
enum class ProcessChange : std::uint8_t { kStop, kStart, kFreeze, kThaw };  // kStop closes and refuses connections
struct ChangeProcess {
  int node = 0;
  ProcessChange change{};
};
using Action = std::variant<Answer, ChangeProcess>;

enum class Process : std::uint8_t { kRunning, kStopped, kFrozen };

// The processes of the simulated nodes, and what leaves them: changes of a process, and answers, which a process lets
// out at once, after its delay, when it is thawed, or never. Pure.
class Processes {
 public:
  explicit Processes(std::size_t nodes) : nodes_(nodes) {}

  [[nodiscard]] Process state(int node) const { return at(node).state; }
  [[nodiscard]] bool is_running(int node) const { return state(node) == Process::kRunning; }

  void start(int node);
  void stop(int node);  // answers that have not left are lost
  void freeze(int node);
  void thaw(int node);
  // From now on each answer of that node leaves so much later, until its process stops.
  void set_delay(int node, Duration delay) { at(node).delay = delay; }

  void answer(Answer answer, TimePoint now);
  void forget(RequestId id);  // its answer, if it has not left
  // Lets out the answers whose delay is over.
  void do_due(TimePoint now);
  [[nodiscard]] TimePoint next_due() const { return delayed_.empty() ? kNever : delayed_.begin()->first; }
  [[nodiscard]] std::vector<Action> take_actions();

 private:
  struct Node {
    Process state = Process::kRunning;
    Duration delay{};
    std::vector<Answer> held;  // of a frozen process, to leave when it is thawed
  };
  [[nodiscard]] Node& at(int node) { return nodes_[static_cast<std::size_t>(node)]; }
  [[nodiscard]] const Node& at(int node) const { return nodes_[static_cast<std::size_t>(node)]; }
  void let_out(Answer answer);

  std::vector<Node> nodes_;
  std::multimap<TimePoint, Answer> delayed_;
  std::vector<Action> actions_;
};

}  // namespace bellwether::sim
