#include "proxy/core/send_gate.h"

#include <array>
#include <chrono>
#include <thread>

#include "bellwether/net/loop.h"
#include "catch.hpp"

namespace bellwether::proxy {

namespace {

constexpr std::size_t kWorkers = 3;
constexpr std::uint64_t kRounds = 500;

// What the control side and the workers share, and how they use it: a round is "in use" once the control side has let
// any worker have it.
struct Model {
  SendGate gate{kWorkers};
  std::atomic<std::uint64_t> in_use{0};
  std::atomic<bool> is_over{false};
  std::atomic<int> violations{0};
  std::atomic<std::uint64_t> sends{0};
  std::array<std::atomic<std::uint64_t>, kWorkers> given{};  // the worker's mail
  std::array<std::atomic<std::uint64_t>, kWorkers> left{};   // the newest round that it reported

  struct Reporter {
    Model* model;
    std::size_t worker;
  };
  static void on_left(void* user, std::uint64_t round) {
    const auto* reporter = static_cast<Reporter*>(user);
    reporter->model->left[reporter->worker] = round;
  }

  // The last worker is slow: it looks at its mail once in a hundred turns.
  void work(std::size_t worker) {
    Reporter reporter{this, worker};
    for (std::uint64_t turn = 0; !is_over; ++turn) {
      if (worker + 1 < kWorkers || turn % 100 == 0) gate.obey(worker, given[worker]);
      const SendPermit permit(gate, worker, &Model::on_left, &reporter);
      if (!permit) continue;
      const std::uint64_t mine = gate.obeyed(worker);
      if (in_use != mine) ++violations;
      ++sends;
      if (in_use != mine) ++violations;
    }
  }

  void control() {
    for (std::uint64_t round = 1; round <= kRounds; ++round) {
      for (const std::size_t worker : gate.close(round)) {
        while (left[worker] != round) std::this_thread::yield();
      }
      in_use = round;
      for (auto& mail : given) mail = round;
      const std::uint64_t before = sends;
      while (sends == before) std::this_thread::yield();
    }
    is_over = true;
  }
};

}  // namespace

TEST_CASE("nobody sends under an old round once a new one is in use, however slow a worker is", "[proxy][gate]") {
  Model model;
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < kWorkers; ++i) threads.emplace_back([&model, i] { model.work(i); });
  model.control();
  for (auto& thread : threads) thread.join();
  CHECK(model.violations == 0);
  CHECK(model.sends > 0);
}

// Measures, and fails only if it is absurd.
TEST_CASE("what a permission to send costs", "[.cost]") {
  SendGate gate(1);
  const auto loop = net::Loop::create({}).value();
  const auto on_left = [](void*, std::uint64_t) {};
  constexpr int kTimes = 10'000'000;
  const auto began = loop->precise_now();
  for (int i = 0; i < kTimes; ++i) {
    const SendPermit permit(gate, 0, on_left, nullptr);
    if (!permit) FAIL("refused");
  }
  const std::chrono::duration<double, std::nano> took = loop->precise_now() - began;
  WARN("a permission costs " << took.count() / kTimes << " ns");
  CHECK(took.count() / kTimes < 10'000);
}

}  // namespace bellwether::proxy
