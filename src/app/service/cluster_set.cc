#include "cluster_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "app/process/log.h"
#include "bellwether/net/inherited.h"

namespace bellwether::app {
namespace {

// How long the start waits for names; what has not answered then is asked for in the background.
constexpr Duration kFirstNames = 3s;
constexpr Duration kFirstFiles = 15s;      // beyond what Certificates waits for
constexpr Duration kReloadNames = 1500ms;  // of a reload

Error in_cluster(const std::string& name, const Error& error) {
  return name.empty() ? error : error.within(fmt::format("cluster {}", name));
}

std::string named(const std::string& name) { return name.empty() ? "the only cluster" : "cluster " + name; }

const config::Config* find_wanted(const config::Config& wanted, const std::string& name) {
  const auto all = config::clusters_of(wanted);
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto& each) { return each.cluster == name; });
  return found == all.end() ? nullptr : &*found;
}

// What calls `on_last` when it has been called that often.
std::function<void()> countdown(std::size_t calls, std::function<void()> on_last) {
  return [left = std::make_shared<std::size_t>(calls), on_last = std::move(on_last)] {
    if (--*left == 0) on_last();
  };
}

void add_report(const std::string& name, const admin::ReloadReport& of, admin::ReloadReport& to) {
  const auto add = [&name](const std::vector<std::string>& from, std::vector<std::string>& into) {
    for (const std::string& each : from) into.push_back(name.empty() ? each : fmt::format("{}: {}", name, each));
  };
  add(of.changes, to.changes);
  add(of.needs_restart, to.needs_restart);
  add(of.hints, to.hints);
}

}  // namespace

struct ClusterSet::Change {
  struct Kept {
    ClusterService* cluster;
    ClusterService::NextPtr next;
  };
  std::vector<std::string> order;  // the names, as they are wanted
  std::vector<Kept> kept;
  std::vector<ClusterPtr> added;
  std::vector<std::string> removed;
  admin::ReloadReport report;
  std::size_t unprepared = 0;
  OnPrepared on_prepared;

  void report_changes() {
    for (const ClusterPtr& each : added) report.changes.push_back("+" + named(each->name()));
    for (const std::string& each : removed) report.changes.push_back("-" + named(each));
    for (const auto& [cluster, next] : kept) add_report(cluster->name(), ClusterService::report_of(*next), report);
  }
};

// One that has been removed, until its clients have ended.
struct ClusterSet::Leaving {
  Leaving(net::Loop& loop, ClusterPtr one, std::function<void()> on_deadline)
      : cluster(std::move(one)), deadline(loop, std::move(on_deadline)) {}

  ClusterPtr cluster;
  net::Timer deadline;
};

ClusterSet::ClusterSet(net::Loop& loop, net::Resolver& resolver, MakeSurroundings make_surroundings)
    : loop_(loop),
      resolver_(resolver),
      make_surroundings_(std::move(make_surroundings)),
      alive_(std::make_shared<ClusterSet*>(this)) {}

ClusterSet::~ClusterSet() = default;

Result<void> ClusterSet::open(const config::Config& config) {
  const auto all = config::clusters_of(config);
  std::vector<Result<void>> outcomes(all.size());
  std::size_t unprepared = all.size();
  for (std::size_t i = 0; i < all.size(); ++i) {
    clusters_.push_back(std::make_unique<ClusterService>(loop_, resolver_, all[i], make_surroundings_(all[i].cluster)));
    clusters_.back()->prepare_open(kFirstNames, [&outcomes, &unprepared, i](const Result<void>& prepared) {
      outcomes[i] = prepared;
      --unprepared;
    });
  }
  if (!loop_.run_until([&unprepared] { return unprepared == 0; }, kFirstFiles)) {
    clusters_.clear();  // they would call back into this frame
    return fail(ErrorKind::kTimeout, "names and files could not be read");
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (outcomes[i]) outcomes[i] = clusters_[i]->finish_open();
    if (!outcomes[i]) return tl::unexpected(in_cluster(all[i].cluster, outcomes[i].error()));
  }
  return {};
}

ClusterService* ClusterSet::find(const std::string& name) const {
  const auto found =
      std::find_if(clusters_.begin(), clusters_.end(), [&](const ClusterPtr& each) { return each->name() == name; });
  return found == clusters_.end() ? nullptr : found->get();
}

std::vector<proxy::Proxy*> ClusterSet::proxies() const {
  std::vector<proxy::Proxy*> found;
  for (const ClusterPtr& each : clusters_) found.push_back(&each->proxy());
  for (const auto& each : leaving_) found.push_back(&each->cluster->proxy());
  return found;
}

std::string ClusterSet::text_of_each(const std::function<std::string(const ClusterService&)>& text) const {
  std::vector<std::string> texts;
  for (const ClusterPtr& each : clusters_) {
    texts.push_back(each->name().empty() ? text(*each) : fmt::format("{}: {}", each->name(), text(*each)));
  }
  return fmt::format("{}", fmt::join(texts, "; "));
}

void ClusterSet::when_all_workers_turned(const std::function<void()>& on_turned) const {
  const auto one_has_turned = countdown(clusters_.size(), on_turned);
  for (const ClusterPtr& each : clusters_) each->proxy().when_all_have_it(one_has_turned);
}

void ClusterSet::prepare(const config::Config& wanted, OnPrepared on_prepared) {
  const auto change = std::make_shared<Change>();
  change->on_prepared = std::move(on_prepared);
  preparing_ = change;
  const auto all = config::clusters_of(wanted);
  change->unprepared = all.size();
  for (const ClusterPtr& each : clusters_) {
    if (find_wanted(wanted, each->name()) == nullptr) change->removed.push_back(each->name());
  }
  for (const config::Config& each : all) change->order.push_back(each.cluster);
  for (const config::Config& each : all) {
    ClusterService* const present = find(each.cluster);
    present != nullptr ? prepare_kept(*present, each) : prepare_new(each);
  }
}

void ClusterSet::one_is_prepared() {
  if (--preparing_->unprepared > 0) return;
  const ChangePtr change = std::exchange(preparing_, nullptr);
  if (change->report.problems.empty()) change->report_changes();
  change->on_prepared(change->report.problems, change);
}

void ClusterSet::prepare_kept(ClusterService& cluster, const config::Config& wanted) {
  cluster.prepare(wanted, kReloadNames, [this, &cluster](const Result<ClusterService::NextPtr>& prepared) {
    if (prepared) preparing_->kept.push_back({&cluster, *prepared});
    if (!prepared) preparing_->report.problems.push_back(in_cluster(cluster.name(), prepared.error()).message);
    one_is_prepared();
  });
}

void ClusterSet::prepare_new(const config::Config& wanted) {
  auto made = std::make_unique<ClusterService>(loop_, resolver_, wanted, make_surroundings_(wanted.cluster));
  ClusterService* const one = made.get();
  preparing_->added.push_back(std::move(made));
  one->prepare_open(kReloadNames, [this, name = wanted.cluster](const Result<void>& prepared) {
    if (!prepared) preparing_->report.problems.push_back(in_cluster(name, prepared.error()).message);
    one_is_prepared();
  });
}

const admin::ReloadReport& ClusterSet::report_of(const Change& change) { return change.report; }

// Where a listener goes over from one cluster to another, clients may wait in the queue of its socket.
Result<void> ClusterSet::lend_moving_sockets(const config::Config& wanted) const {
  for (const ClusterPtr& each : clusters_) {
    for (const config::Listen& open : each->config().listen) {
      const auto is_it = [&](const config::Listen& one) { return one.address == open.address; };
      if (each->name() == wanted.cluster || std::none_of(wanted.listen.begin(), wanted.listen.end(), is_it)) continue;
      if (open.is_unix()) {
        return fail(ErrorKind::kUnavailable, fmt::format("listen: {} is open in {}: only a restart can move the file",
                                                         open.address, named(each->name())));
      }
      if (const auto address = net::Address::parse(open.address)) net::InheritedSockets::process().lend_own(*address);
    }
  }
  return {};
}

Result<void> ClusterSet::bind_all(Change& change) {
  for (const auto& [cluster, next] : change.kept) {
    auto bound = lend_moving_sockets(ClusterService::config_of(*next)).and_then([&one = *cluster, &part = *next] {
      return one.bind(part);
    });
    if (!bound) return tl::unexpected(in_cluster(cluster->name(), bound.error()));
  }
  for (const ClusterPtr& each : change.added) {
    auto bound = lend_moving_sockets(each->config()).and_then([&one = *each] { return one.finish_open(); });
    if (!bound) return tl::unexpected(in_cluster(each->name(), bound.error()));
  }
  return {};
}

Result<void> ClusterSet::bind(Change& change) {
  auto bound = bind_all(change);
  (void)net::InheritedSockets::process().release();  // copies that nobody needs any more
  return bound;
}

void ClusterSet::use(const ChangePtr& change, std::function<void()> on_done) {
  const auto one_has_it = countdown(change->kept.size() + 1, std::move(on_done));
  for (const auto& [cluster, next] : change->kept) cluster->use(next, one_has_it);
  for (const ClusterPtr& each : change->added) {
    each->say_listeners();
    each->begin(nullptr);
  }
  put_in_order(*change);
  one_has_it();
}

void ClusterSet::put_in_order(Change& change) {
  std::vector<ClusterPtr> before = std::exchange(clusters_, {});
  std::move(change.added.begin(), change.added.end(), std::back_inserter(before));
  for (const std::string& name : change.order) {
    const auto found = std::find_if(before.begin(), before.end(),
                                    [&](const ClusterPtr& each) { return each && each->name() == name; });
    clusters_.push_back(std::move(*found));
  }
  for (ClusterPtr& each : before) {
    if (each) let_go(std::move(each));
  }
}

void ClusterSet::let_go(ClusterPtr cluster) {
  ClusterService* const one = cluster.get();
  leaving_.push_back(std::make_unique<Leaving>(loop_, std::move(cluster), [this, one] { forget(one); }));
  const Duration at_most = one->leave([weak = std::weak_ptr(alive_), one] {
    if (const auto self = weak.lock()) (*self)->forget(one);
  });
  leaving_.back()->deadline.arm_in(at_most);
}

// Once its workers have answered whatever others have asked them for, and not within their callback.
void ClusterSet::forget(ClusterService* gone) {
  gone->proxy().when_all_have_it([weak = std::weak_ptr(alive_), gone] {
    const auto self = weak.lock();
    if (!self) return;
    (*self)->loop_.at_turn_end([weak, gone] {
      if (const auto still = weak.lock()) (*still)->erase_leaving(gone);
    });
  });
}

void ClusterSet::erase_leaving(const ClusterService* gone) {
  const auto is_it = [gone](const auto& each) { return each->cluster.get() == gone; };
  const auto found = std::find_if(leaving_.begin(), leaving_.end(), is_it);
  if (keeps_all_ || found == leaving_.end()) return;
  log::info("cluster_removed", {{"cluster", (*found)->cluster->name()},
                                {"cut", static_cast<std::int64_t>((*found)->cluster->proxy().counts().sessions_now)}});
  leaving_.erase(found);
}

}  // namespace bellwether::app
