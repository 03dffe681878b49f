#include "cluster_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "bellwether/net/inherited.h"

namespace bellwether::app {
namespace {

Error in_cluster(const std::string& name, const Error& error) {
  return name.empty() ? error : error.within(fmt::format("cluster {}", name));
}

std::string named(const std::string& name) { return name.empty() ? "the only cluster" : "cluster " + name; }

const config::Config* find_wanted(const config::Config& wanted, const std::string& name) {
  const auto all = config::clusters_of(wanted);
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto& each) { return each.cluster == name; });
  return found == all.end() ? nullptr : &*found;
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
  for (const config::Config& each : config::clusters_of(config)) {
    auto opened = std::make_unique<ClusterService>(loop_, resolver_, each, make_surroundings_(each.cluster));
    if (auto done = opened->open(); !done) return tl::unexpected(in_cluster(each.cluster, done.error()));
    clusters_.push_back(std::move(opened));
  }
  return {};
}

ClusterService* ClusterSet::find(const std::string& name) const {
  const auto found =
      std::find_if(clusters_.begin(), clusters_.end(), [&](const ClusterPtr& each) { return each->name() == name; });
  return found == clusters_.end() ? nullptr : found->get();
}

std::vector<proxy::Proxy*> ClusterSet::keep_all() {
  keeps_all_ = true;
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
  const auto missing = std::make_shared<std::size_t>(clusters_.size());
  for (const ClusterPtr& each : clusters_) {
    each->proxy().when_all_have_it([missing, on_turned] {
      if (--*missing == 0) on_turned();
    });
  }
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
    present != nullptr ? prepare_kept(*present, each, change) : prepare_new(each, change);
  }
}

void ClusterSet::one_is_prepared() {
  if (--preparing_->unprepared > 0) return;
  const ChangePtr change = std::exchange(preparing_, nullptr);
  if (change->report.problems.empty()) change->report_changes();
  change->on_prepared(change->report.problems, change);
}

void ClusterSet::prepare_kept(ClusterService& cluster, const config::Config& wanted, const ChangePtr& change) {
  cluster.prepare(wanted, [this, &cluster, change](const Result<ClusterService::NextPtr>& prepared) {
    if (prepared) change->kept.push_back({&cluster, *prepared});
    if (!prepared) change->report.problems.push_back(in_cluster(cluster.name(), prepared.error()).message);
    one_is_prepared();
  });
}

void ClusterSet::prepare_new(const config::Config& wanted, const ChangePtr& change) {
  auto made = std::make_unique<ClusterService>(loop_, resolver_, wanted, make_surroundings_(wanted.cluster));
  ClusterService* const one = made.get();
  change->added.push_back(std::move(made));
  one->prepare_open([this, name = wanted.cluster](const Result<void>& prepared) {
    if (!prepared) preparing_->report.problems.push_back(in_cluster(name, prepared.error()).message);
    one_is_prepared();
  });
}

const admin::ReloadReport& ClusterSet::report_of(const Change& change) { return change.report; }

// Where a listener goes over from one cluster to another, clients may wait in the queue of its socket.
void ClusterSet::lend_moving_sockets(const config::Config& wanted) const {
  for (const ClusterPtr& each : clusters_) {
    for (const config::Listen& open : each->config().listen) {
      const auto is_it = [&](const config::Listen& one) { return one.address == open.address; };
      if (each->name() == wanted.cluster || std::none_of(wanted.listen.begin(), wanted.listen.end(), is_it)) continue;
      if (const auto address = net::Address::parse(open.address)) net::InheritedSockets::process().lend_own(*address);
    }
  }
}

Result<void> ClusterSet::bind(Change& change) {
  const auto bind_all = [&]() -> Result<void> {
    for (const auto& [cluster, next] : change.kept) {
      lend_moving_sockets(ClusterService::config_of(*next));
      if (auto bound = cluster->bind(*next); !bound) return tl::unexpected(in_cluster(cluster->name(), bound.error()));
    }
    for (const ClusterPtr& each : change.added) {
      lend_moving_sockets(each->config());
      if (auto bound = each->finish_open(); !bound) return tl::unexpected(in_cluster(each->name(), bound.error()));
    }
    return {};
  };
  auto bound = bind_all();
  (void)net::InheritedSockets::process().release();  // copies that nobody needs any more
  return bound;
}

void ClusterSet::use(const ChangePtr& change, std::function<void()> on_done) {
  const auto unused = std::make_shared<std::size_t>(change->kept.size() + 1);
  const auto one_has_it = [unused, on_done = std::move(on_done)] {
    if (--*unused == 0) on_done();
  };
  for (const auto& [cluster, next] : change->kept) cluster->use(next, one_has_it);
  for (const ClusterPtr& each : change->added) {
    each->say_listeners();
    each->begin();
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
  const Duration at_most = one->config().drain_deadline;
  leaving_.push_back(std::make_unique<Leaving>(loop_, std::move(cluster), [this, one] { forget(one); }));
  leaving_.back()->deadline.arm_in(at_most);
  one->leave([weak = std::weak_ptr(alive_), one] {
    if (const auto self = weak.lock()) (*self)->forget(one);
  });
}

// Not at once: the caller is a callback of what goes.
void ClusterSet::forget(const ClusterService* gone) {
  loop_.at_turn_end([weak = std::weak_ptr(alive_), gone] {
    const auto self = weak.lock();
    if (!self || (*self)->keeps_all_) return;
    std::erase_if((*self)->leaving_, [gone](const auto& each) { return each->cluster.get() == gone; });
  });
}

}  // namespace bellwether::app
