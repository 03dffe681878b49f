// The table against a whole cluster: through random faults, what is judged to be proof was never executed.
#include <string>
#include <vector>

#include "bellwether/base/prng.h"
#include "bellwether/vault/retry.h"
#include "catch.hpp"
#include "unit/sim/lab.h"

using namespace bellwether;
using namespace bellwether::vault;

namespace {

struct Write {
  std::uint64_t exchange;
  int node;
  std::string key;
};

Row judge_answer(const Write& write, const http::Response& response) {
  const std::string path = "/v1/secret/data/" + write.key;
  const std::string url = "http://n" + std::to_string(write.node + 1);
  const std::string_view url_view = url;
  Attempt attempt;
  attempt.path = path;
  attempt.forbade_forwarding = true;
  attempt.effect = Effect::kStorage;
  attempt.conduct = StandbyConduct::kActsFirst;
  attempt.role = cluster::Role::kActive;
  attempt.node_urls = {&url_view, 1};
  Answer answer;
  answer.status = response.status;
  answer.body = response.body;
  const std::string location = sim::Lab::location(response);
  if (!location.empty()) answer.location = location;
  return judge(attempt, answer);
}

void disturb(sim::Lab& lab, Prng& prng) {
  static const std::vector<std::string_view> faults = {"step-down", "seal",   "hang",  "wake",   "partition",
                                                       "heal",      "unseal", "crash", "restart"};
  lab.inject(static_cast<int>(prng.below(3)), faults[prng.below(faults.size())]);
}

}  // namespace

TEST_CASE("Through random faults, a write whose answer is proof was never executed", "[vault]") {
  std::size_t proofs = 0;
  std::size_t successes = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Prng prng(seed);
    sim::Lab lab;
    std::vector<Write> writes;
    for (int step = 0; step < 150; ++step) {
      if (prng.chance(0.04)) disturb(lab, prng);
      const int node = static_cast<int>(prng.below(3));
      const std::string key = "k" + std::to_string(step);
      writes.push_back({lab.send_put(node, key, "v"), node, key});
      lab.advance(Duration(prng.below(60)) * 1'000'000);
    }
    lab.advance(5s);
    for (const Write& write : writes) {
      const http::Response response = lab.answer(write.exchange);
      if (response.status == 0) continue;
      const Row row = judge_answer(write, response);
      CAPTURE(seed, write.key, response.status, response.body, to_text(row));
      const std::uint64_t executed = lab.model.store().puts(write.key);
      if (verdict_of(row) == Verdict::kPassOn) {
        CHECK(response.status == 200);
        CHECK(executed == 1);
        ++successes;
      } else if (verdict_of(row) == Verdict::kProof) {
        CHECK(executed == 0);
        ++proofs;
      }
    }
  }
  CHECK(proofs > 100);
  CHECK(successes > 100);
}
