#!/usr/bin/python3
"""Breaks one decision rule at a time and checks that its tests notice.

Question: would a wrong rule be found? Each mutant is one edit of a copy of the sources; the smallest test program that is
to notice it is built and run against it and must fail. The tracker's are below: its tests are scenarios, a random
cluster, the replay of recorded failovers and the table of routes. Those of the other rooms are in rooms.py. A mutant that
survives, or whose text is no longer in the source, fails the run.
"""
import argparse
import pathlib
import shutil
import subprocess
import sys
import time

import rooms

ROOT = pathlib.Path(__file__).resolve().parents[2]

# (what is broken, file, text that stands there exactly once, what replaces it)
MUTANTS = [
    ("a denial no longer ends leadership", "rules.cc",
     "succession_.withdraw(id, why, \"the challenger says it does not lead\", now);",
     "succession_.end_contest_of(id, \"the challenger says it does not lead\");"),
    ("a claim counts from its receipt", "rules.cc", "if (answer.sent < asked.denied_at) {", "if (answer.received < asked.denied_at) {"),
    ("any claim releases a suspicion", "leadership.cc",
     "if (suspect_since_.has_value() && sent >= *suspect_since_)", "if (suspect_since_.has_value())"),
    ("a lost leader's old claim elects it again", "leadership.cc",
     "return was_leader ? candidate.claim_sent >= lost_at_", "return was_leader ? candidate.claim_sent <= lost_at_"),
    ("old claims count against a newer leader", "leadership.cc",
     ": candidate.claim_sent >= claim_sent_;", ": true;"),
    ("silence counts as fast as we probe", "node_state.cc", "now - node.silence_counted < shortest_inter", "false"),
    ("one silence takes a node down", "node_state.cc", "node.seen.silences < options.fall", "node.seen.silences < 1"),
    ("one answer brings a node up", "node_state.cc", "(!first && node.seen.answers < options.rise)", "false"),
    ("silence never makes the leader suspect", "succession.cc",
     "  become_suspect(fmt::format(\"{}: {}\", name, what), now);\n", ""),
    ("a late probe never makes the leader suspect", "succession.cc", "if (has_late_probe(leader, now)) become_suspect",
     "if (false) become_suspect"),
    ("live answers do not shield", "node_probes.cc", "live_sent_ > probe.ordered || ", ""),
    ("a dead connection is held against its node", "node_probes.h", "return answered_sent_ > ordered;",
     "return answered_sent_ > ordered && false;"),
    ("our own stop is held against the nodes", "node_probes.cc",
     "for (Outstanding& probe : outstanding_) probe.late_from = now;", ""),
    ("a challenger does not lead a suspect cluster", "succession.cc",
     "} else if (leadership_.is_suspect() && !leadership_.is_left_behind(claimant)) {", "} else if (false) {"),
    ("a cut-off leader's claim wins while its successor is suspect", "succession.cc",
     "} else if (leadership_.is_suspect() && !leadership_.is_left_behind(claimant)) {",
     "} else if (leadership_.is_suspect()) {"),
    ("a suspicion hands over to a cut-off leader", "succession.cc",
     "  if (leadership_.is_left_behind(waiting)) return;\n", ""),
    ("a cut-off leader wins by a late answer of its successor", "contest.cc",
     "if (unanswered && !is_left_behind) {", "if (unanswered) {"),
    ("whoever led before is shut out, followed or not", "leadership.cc",
     "is_followed_ && has_not_stood_down", "has_not_stood_down"),
    ("the old leader's silence is not held against it in a conflict", "contest.cc",
     "if (unanswered && !is_left_behind) {", "if (false) {"),
    ("a majority for the old leader does not count", "contest.cc",
     "(challenger_rose(evidence) && !leader_is_followed)", "challenger_rose(evidence)"),
    ("what the leader was asked before it was contested makes a conflict", "contest.cc", "sent < begun_", "sent < kLongAgo"),
    ("a contest is a conflict before the leader was asked again", "picture.cc",
     "contest.has_value() && contest->is_conflict()", "contest.has_value()"),
    ("a leader that woke wins by a slow answer", "contest.cc", "may_have_woken ? options.suspect_after",
     "false ? options.suspect_after"),
    ("a name that claims and follows is a server of its own", "contest.cc",
     "leader_claims_anew_ && evidence.statements.follows(challenger_, leader_, evidence.members)",
     "leader_claims_anew_ && !evidence.statements.follows(challenger_, leader_, evidence.members)"),
    ("what a name stated before it claims is no contradiction", "contest.cc",
     "claim_sent >= evidence.statements.received(challenger_)",
     "claim_sent < evidence.statements.received(challenger_)"),
    ("a name of a server that denies stays in its contest", "rules.cc", "    on_denial(alias, now);\n", ""),
    ("who claims when its server denies stays its other name", "members.cc",
     "if (claim_sent >= at(*server).denied_at) forget", "if (claim_sent >= kNever) forget"),
    ("two names of one server contest", "statements.cc",
     "!first->identity.empty() && first->identity == second->identity", "first->identity.empty()"),
    ("nodes that state nothing are asked without a pause", "contest.cc",
     "if (!evidence.statements.all_have_stated(evidence.members)) due = std::max(due, silent_witnesses);", ""),
    ("a foreign node may lead", "rules.cc",
     "== ClusterIdentity::Verdict::kForeign) role = Role::kForeign;", "== ClusterIdentity::Verdict::kForeign) role = answer.facts.role;"),
    ("one node's cluster_id is a majority", "identity.cc", "votes * 2 > said_.size()", "votes > 0"),
    ("stale hints are obeyed", "rules.cc", "if (hint.epoch == succession_.leadership().epoch())", "if (true)"),
    ("slowness silences hints of trouble", "probe_schedule.cc", "kind == HintKind::kSlow ? slow_hints_ : hints_",
     "slow_hints_"),
    ("confirming hints may storm", "hint_gate.h", "gap_ = std::min(gap_ * 2, longest_gap_);", ""),
    ("a third probe goes out", "node_probes.h", "kMaxOutstanding = 2", "kMaxOutstanding = 3"),
    ("elections are probed ten times slower", "pacing.cc", "kElectionShare = 50", "kElectionShare = 5"),
    ("slow nodes get no rest", "pacing.cc", "node.slow ? interval * 2 : interval", "interval"),
    ("a node in maint may lead", "succession.cc", "candidate.seen.admin == AdminState::kReady &&", "true &&"),
    ("idle ends without a fresh claim", "rules.cc",
     "  if (woken.was_idle) succession_.await_confirmation(ConfirmReason::kWasIdle, now);\n", ""),
    ("a pause does not end by itself", "demand.cc", "if (paused_until_.has_value() && now >= *paused_until_)",
     "if (false)"),
    ("nobody wakes for the end of a pause", "demand.cc",
     "  if (paused_until_.has_value()) wake = std::min(wake, *paused_until_);\n", ""),
    ("a suspicion lifts a pause", "picture.cc", "if (subject_.demand.is_paused()) return",
     "if (subject_.demand.is_paused() && !is_suspect) return"),
    ("a held conflict is hidden by a suspicion", "picture.cc", "is_contested && !is_suspect", "is_contested"),
    ("nodes are asked slowly in a pause", "pacing.cc", "context.contested || context.paused", "context.contested"),
    ("a pause ends with what was known before it", "orders.cc", "  wake_up(now);\n  demand_.pause(", "  demand_.pause("),
    ("slow nodes are suspect for good", "node_probes.cc", "std::min(latency_ * 2, options.inter)", "Duration{}"),
    ("idle sidecars storm an election", "pacing.cc", "if (!context.unused) return options.fastinter;",
     "if (options.fall > 0) return options.fastinter;"),
    ("idle sidecars all ask at once", "probe_schedule.cc", "if (!is_unused) return ask_all_soon();",
     "return ask_all_soon();"),
    ("a late answer is not followed by a question", "node_probes.cc",
     "now - found->ordered >= patience(options)", "false"),
    ("a suspect leader gets new requests", "route.cc", "view.hold == open_for &&", "(view.hold == open_for || view.suspect) &&"),
    ("requests are sent by an outdated view", "route.cc", " && !request.view_is_outdated) return SendTo", ") return SendTo"),
    ("a full hold refuses though the leader is merely suspect", "route.cc",
     "request.hold_is_full ? HoldReason::kSuspect : HoldReason::kNone", "HoldReason::kNone"),
    ("a request goes to the same node again and again", "route.cc", "!contains(tried, id) && fits", "fits"),
    ("a node out of service answers for itself", "route.cc", "node.up && node.may_serve_clients()", "node.up"),
    ("a suspect leader is asked before others that answer", "route.cc", "view.leader && !view.suspect && request", "view.leader && request"),
    ("any node is asked before one was heard", "route.cc", "  if (view.hold == HoldReason::kStarting) return Hold{view.hold};\n", ""),
    ("an unseal waits for the leader that it shall bring about", "route.cc", "return view.hold != HoldReason::kNoLeader;", "return true;"),
    ("an unseal goes to any node", "route.cc", "answers_clients(node) && node.role == request.role", "answers_clients(node)"),
    ("an init goes to a cluster that is initialized", "route.cc", "if (other) return", "if (false) return"),
    ("an init goes out before all nodes were heard", "route.cc", "if (unheard) return", "if (false) return"),
    ("a pause stops clients that are connected", "route.cc", " || view.hold == HoldReason::kPaused)", ")"),
    ("a node in drain keeps its clients though another leads", "route.cc", "lead == Lead::kDenied || lead == Lead::kTaken;", "lead == Lead::kDenied;"),
    ("clients stay with a node that has denied", "route.cc", "lead == Lead::kDenied || lead == Lead::kTaken;", "lead == Lead::kTaken;"),
    ("a dial to a suspect leader goes on", "route.cc", "== Lead::kHas && !view.suspect;", "== Lead::kHas;"),
    ("silence ends a lead", "route.cc", "is_denial(seen->role) ? Lead::kDenied", "true ? Lead::kDenied"),
    ("another epoch of the same node is the same term", "route.cc", "a.leader == b.leader && a.epoch == b.epoch", "a.leader == b.leader"),
    ("connections are opened to the leader of before", "route.cc", "is_open && node != former &&", "is_open &&"),
    ("a client stays with a node that was removed", "route.cc", "  if (seen == nullptr) return false;\n", "  if (seen == nullptr) return true;\n"),
    ("a leader that was removed leads on", "succession.cc",
     "  withdraw(id, fmt::format(\"{} was removed from the nodes\", name), \"the challenger was removed\", now);\n",
     "  end_contest_of(id, \"the challenger was removed\");\n"),
    ("a node that stays forgets what it is", "members.cc", "states.add(id, std::move(*known));", "states.add(id);"),
    ("a challenger that was removed contests on", "succession.cc",
     "  withdraw(id, fmt::format(\"{} was removed from the nodes\", name), \"the challenger was removed\", now);\n",
     "  if (leadership_.is_leader(id)) become_leaderless(fmt::format(\"{} was removed from the nodes\", name), now);\n"),
    ("another name of a server that was removed stays one", "orders.cc", "    members_.forget_same_server(alias);\n", ""),
    ("a removed node is not told of", "orders.cc", "Event& event = journal_.report(EventKind::kNodeRemoved);", "Event event;"),
    ("a new name is not told of", "members.cc", "  if (before == name(id)) return;\n", "  return;\n"),
    ("new settings wait for a restart", "orders.cc", "  options_ = options;\n", ""),
    ("strangers lead on when another cluster_id is configured", "orders.cc",
     "if (!options_.cluster_id.empty()) expel_strangers(std::nullopt, now);", ""),
    ("another cluster_id is not configured while it runs", "orders.cc",
     "  identity_.configure(options_.cluster_id);\n", ""),
    ("all replaced, and the cluster_id of before is held against them", "identity.cc",
     "    pinned_.clear();\n    said_ = stated;\n", ""),
    ("some replaced, and the cluster_id is learned anew", "identity.cc", "if (!is_still_taught && !is_configured_ &&", "if (!is_configured_ &&"),
    ("another cluster is followed though it is to be held", "identity.cc", " && !kept &&", " &&"),
    ("a configured cluster_id goes with its nodes", "identity.cc", "if (!is_still_taught && !is_configured_ &&", "if (!is_still_taught &&"),
    ("maintenance ends when the name leads to another machine", "orders.cc",
     "set_admin_state(id, replaced.ordered.at(id), now);", "(void)id;"),
    ("who is left keeps a cluster_id that nobody states", "identity.cc", "std::find(stated.begin(), stated.end(), pinned_) != stated.end()", "true"),
    ("what is not sent yet goes to a removed node", "route.cc", "view.nodes.empty() || (seen != nullptr && seen->may", "seen == nullptr || (seen->may"),
    ("what was said first outvotes what is said now", "identity.cc", "    said_ = stated;\n", ""),
    ("those that are left are no majority", "identity.cc", "!has_majority(*id)) continue;", "true) continue;"),
]


def copy_sources(target: pathlib.Path) -> None:
    """Files of now: the run before may have left a mutant in what is built, and files that are no more."""
    target.mkdir(parents=True, exist_ok=True)
    for part in ("CMakeLists.txt", "CMakePresets.json", "src", "include", "tests", "conf", "bench", "packaging"):
        source = ROOT / part
        if source.is_dir():
            shutil.rmtree(target / part, ignore_errors=True)
            shutil.copytree(source, target / part, copy_function=shutil.copy)
        elif source.exists():
            shutil.copy2(source, target / part)


def build(tree: pathlib.Path, target: str) -> bool:
    command = ["cmake", "--build", str(tree / "build"), "--target", target]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False).returncode == 0


def tests_pass(tree: pathlib.Path, target: str, tests: str) -> bool:
    command = [str(tree / "build" / "bin" / target), "--abort", *([tests] if tests else [])]
    try:
        return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, timeout=300).returncode == 0
    except subprocess.TimeoutExpired:
        return False  # it spins: noticed


def source_of(tree: pathlib.Path, room: rooms.Room, file: str) -> pathlib.Path:
    return next((tree / "src" / room.folder).glob(f"**/{file}"))


def is_found(tree: pathlib.Path, room: rooms.Room, mutant: tuple) -> str:
    """Empty if its tests notice it; else what is wrong."""
    _, file, old, new = mutant[:4]
    path = source_of(tree, room, file)
    original = path.read_text()
    if original.count(old) != 1:
        return f"its text is not in {file} exactly once; mend tests/mutants"
    path.write_text(original.replace(old, new))
    try:
        if not build(tree, room.target):
            return "does not compile"
        return "SURVIVED" if tests_pass(tree, room.target, rooms.tests_for(room, mutant)) else ""
    finally:
        path.write_text(original)


def pass_without_mutants(tree: pathlib.Path, room: rooms.Room, mutants: list) -> bool:
    selections = {rooms.tests_for(room, mutant) for mutant in mutants}
    return build(tree, room.target) and all(tests_pass(tree, room.target, tests) for tests in selections)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tree", default=str(ROOT / "build" / "mutants"), help="where the copy is built")
    parser.add_argument("--file", help="only the mutants of that file, such as route.cc")
    parser.add_argument("--room", help="only the mutants that this test program is to notice, such as vault_tests")
    options = parser.parse_args()
    tree = pathlib.Path(options.tree)
    print(f"Copying the sources to {tree}...", flush=True)
    copy_sources(tree)
    launcher = ["-DCMAKE_CXX_COMPILER_LAUNCHER=ccache"] if shutil.which("ccache") else []
    configure = ["cmake", "-G", "Ninja", "-S", str(tree), "-B", str(tree / "build"), "-DCMAKE_BUILD_TYPE=Debug",
                 "-DCMAKE_CXX_FLAGS_DEBUG=-O1", *launcher]
    subprocess.run(configure, stdout=subprocess.DEVNULL, check=True)
    number = 0
    survivors = []
    for room in [rooms.Room("cluster_tests", "", "cluster", MUTANTS), *rooms.ROOMS]:
        if options.room not in (None, room.target):
            continue
        mutants = [mutant for mutant in room.mutants if options.file in (None, pathlib.PurePath(mutant[1]).name)]
        if not mutants:
            continue
        print(f"{room.target}:", flush=True)
        if not pass_without_mutants(tree, room, mutants):
            print("The tests do not build and pass without a mutant: nothing to learn here.")
            return 1
        for mutant in mutants:
            began = time.monotonic()
            number += 1
            problem = is_found(tree, room, mutant)
            print(f"{number:3}. {mutant[0]}: {problem or 'found'} ({time.monotonic() - began:.0f} s)", flush=True)
            survivors += [mutant[0]] if problem else []
    print(f"{number - len(survivors)} of {number} mutants found")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
