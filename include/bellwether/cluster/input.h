#pragma once

#include <optional>
#include <string>
#include <variant>

#include "bellwether/base/ids.h"
#include "bellwether/base/time.h"
#include "bellwether/cluster/observation.h"
#include "bellwether/cluster/tracker_options.h"

namespace bellwether::cluster {

// What a LeaderTracker can be told. An input is one struct here, or one of observation.h, and its rule:
// LeaderTracker::Rules::on() of that struct in src/cluster/tracker. Most say what was seen; the last five are the
// operator's. What concerns a node that has been removed meanwhile is ignored.

// What the process knew whose place this one takes: part of the Start, and an input by itself when that process lets
// go. Nobody is led to by it: the numbering goes on, and a lead that both have seen dates from when it was seen first.
struct FormerLead {
  Epoch epoch = 0;             // not 0: somebody has led
  std::optional<NodeId> node;  // that leads, or led last, if it still is one of the nodes
  std::string name;            // as it was called
  TimePoint since{};           // it leads since then; or nobody does
  bool is_over = false;        // nobody leads
};

// The first input, exactly once: orders the first round of probes. If the node that has led claims to lead first, its
// epoch goes on; whoever else leads first begins the next one.
struct Start {
  std::optional<FormerLead> former{};
};

// Time passed. Safe at any moment; due at Step::wake_at.
struct Tick {};

// An ordered probe ended without an answer. Each ends with this or a ProbeAnswer, exactly once, however late.
struct ProbeFailed {
  ProbeId probe = 0;
  ProbeFailure failure{};
  std::string cause{};  // the same in words for people, with the way out; shown in the view
};

// The node's kernel has not answered a SYN within several round trips: not even a frozen process is so silent. The
// probe goes on. Nothing is decided by it, but the timeline tells what was wrong by it.
struct LostSyn {
  NodeId node;
};

// `node` is another name of `other`'s server (both have led to one address), or not any more (nothing).
struct SameServer {
  NodeId node;
  std::optional<NodeId> other;
  std::string why;
};

// A complete HTTP answer head came from `node` to a request sent at `request_sent`: it is alive (not: it leads).
struct LiveAnswer {
  NodeId node;
  TimePoint request_sent{};
};

// A client wants something. While the view says idle, this asks for a fresh claim.
struct Traffic {};

// Somebody needs a claim of the leader's that is asked for at `since` or later: it is asked for as soon as the probe
// under way, if any, has ended. However many want one, there is never more than one probe under way for it.
struct ClaimWanted {
  TimePoint since{};
};

// Exchanges on the leader that have waited over 500 ms, and whether any completed since the oldest of them began.
struct ExchangesWaiting {
  int waiting = 0;
  bool any_completed = true;
};

// Our own loop stood still: every lateness starts anew. After `suspect_after` or more the leader must claim anew before
// the view sends anything to it. To be told after all sockets have been read.
struct LoopLate {
  Duration late{};
};

// Refused (Step::refused) if it would take the only leader away and `force` is not set.
struct SetAdminState {
  NodeId node;
  AdminState state{};
  bool force = false;
};

// Forgets the pinned cluster_id; the next answers teach a new one.
struct Repin {};

// New requests are held, leader or not, until Resume or for that long. Nothing else changes, but that nodes are probed
// more often. Said again, the time counts anew.
struct Pause {
  Duration at_most{};
};
struct Resume {};

// From now on these are the nodes and settings. A node that the tracker knows by its id stays what it is, whatever it
// is called now; the others are new, and are asked at once; those that are missing are removed: nothing more is sent to
// them. A leader that is removed leads no more. A cluster_id that was learned is forgotten with the last of the nodes
// that state it, or when another one is configured. What the operator said of a node (SetAdminState) is about its name.
struct Reconfigure {
  TrackerOptions options;  // but for the seed, which stays
};

using Input = std::variant<Start, FormerLead, Tick, ProbeAnswer, ProbeFailed, LostSyn, SameServer, LeaderStatement,
                           Hint, LiveAnswer, Traffic, ClaimWanted, ExchangesWaiting, LoopLate, SetAdminState, Repin,
                           Pause, Resume, Reconfigure>;

}  // namespace bellwether::cluster
