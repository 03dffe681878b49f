"""Faults that a round may bring, by name. Each is done to the leader; the cluster's heal() undoes it, unless it has a
length of its own."""

import dataclasses
import random


# Silence is noticed by what it holds up: 20 ms until an exchange is slow, up to 100 ms until its gate lets a probe out
# (DECISIONS.md D13), 100 ms until that is late, and some for a busy machine. The summary says how long it took.
UNNOTICED_SILENCE = 0.25

# Of the packets in a slow network. TCP repeats each after 200 ms at the earliest.
LOST_SHARE = 0.2


def followers(cluster, leader):
    return [node.index for node in cluster.nodes if node.index != leader]


def kill_followers(cluster, leader):
    for index in followers(cluster, leader):
        cluster.kill(index)


def restart_followers(cluster, leader):
    for index in followers(cluster, leader):
        cluster.restart(index)


@dataclasses.dataclass(frozen=True)
class Fault:
    name: str
    strike: object  # strike(cluster, leader_index); true: the server hung in it, never answered anybody, and was killed
    is_harmless: bool = False  # planned, or nobody dies of it: clients must not notice
    # The leader itself may answer what was in flight with an error that proves nothing (vault-facts: sealed midway).
    may_answer_ambiguously: bool = False
    # What is sent within so many seconds may be lost: nothing tells yet that the leader is gone.
    unnoticed: float = 0.0
    # Ended by the round itself after some time between these, by undo(cluster, leader_index): the leader may stay.
    lasts: tuple | None = None
    undo: object = None
    # It goes on for so many seconds after the clients have found a new leader. Bellwether asks the old one until 1.5 s after
    # the election whom it follows: whoever has found back to its peers by then looks like one that stood down.
    goes_on: float = 0.0
    # Nothing can be answered and nothing noticed while it lasts: all that is sent then is in flight.
    stalls_everything: bool = False
    # A leader that does not know yet that it was replaced: so many seconds of reads may be old, if nothing verifies them.
    may_read_old: float = 0.0
    stops_nobody: bool = False  # the leader serves on: no delay can be said to follow it
    is_possible: object = lambda cluster: True
    needs: str = ""  # what makes it possible
    cause: str = ""  # what /failovers should call it; empty: it depends


FAULTS = {
    fault.name: fault
    for fault in (
        Fault("step_down", lambda cluster, leader: cluster.step_down(leader), is_harmless=True, cause="step_down"),
        Fault("seal", lambda cluster, leader: cluster.seal(leader), is_harmless=True, may_answer_ambiguously=True,
              cause="seal"),
        Fault("term", lambda cluster, leader: cluster.terminate(leader), cause="stop"),
        Fault("kill", lambda cluster, leader: cluster.kill(leader), cause="crash"),
        Fault("freeze", lambda cluster, leader: cluster.freeze(leader), unnoticed=UNNOTICED_SILENCE, cause="hang"),
        Fault("cut_off", lambda cluster, leader: cluster.cut_off(leader), unnoticed=2.6, may_read_old=2.6,
              may_answer_ambiguously=True, goes_on=2.0, is_possible=lambda cluster: cluster.can_cut_off,
              needs="a raft or simulated cluster, and for raft root and nftables", cause="cut_off_from_peers"),
        Fault("lose_quorum", kill_followers, unnoticed=2.6, lasts=(4, 8), undo=restart_followers, stalls_everything=True,
              may_read_old=2.6, may_answer_ambiguously=True, is_possible=lambda cluster: not cluster.can_freeze_database,
              needs="a raft or simulated cluster", cause="lost_quorum"),
        Fault("unreachable", lambda cluster, leader: cluster.hide_from_client(leader), unnoticed=UNNOTICED_SILENCE, lasts=(1, 8),
              undo=lambda cluster, leader: cluster.mend_network(),
              is_possible=lambda cluster: cluster.firewall is not None, needs="root and nftables", cause="unreachable"),
        Fault("slow_network", lambda cluster, leader: cluster.slow_for_client(leader, LOST_SHARE), is_harmless=True, lasts=(2, 8),
              stops_nobody=True,
              undo=lambda cluster, leader: cluster.mend_network(),
              is_possible=lambda cluster: cluster.firewall is not None, needs="root and nftables"),
        Fault("database_freeze", lambda cluster, leader: cluster.database.freeze(), lasts=(2, 20),
              undo=lambda cluster, leader: cluster.database.thaw(), stalls_everything=True, may_answer_ambiguously=True,
              is_possible=lambda cluster: cluster.can_freeze_database, needs="the postgresql cluster"),
    )
}


@dataclasses.dataclass(frozen=True)
class Strike:
    """One fault of a run, with all that chance decides about it."""

    fault: Fault
    pause: float  # seconds before it: where in the rhythm of probes it falls
    lasts: float  # seconds; 0: until healed

    @classmethod
    def by_chance(cls, fault, chance):
        pause = chance.uniform(0, 1)
        return cls(fault, pause, chance.uniform(*fault.lasts) if fault.lasts else 0.0)


def possible(cluster):
    return [fault for fault in FAULTS.values() if fault.is_possible(cluster)]


def parse(words):
    """"step_down:20,seal:5" or "kill": the faults, each as often as said."""
    chosen = []
    for word in words.split(","):
        name, _, count = word.partition(":")
        if name not in FAULTS:
            raise SystemExit(f"no fault is called {name!r}; there are: {', '.join(FAULTS)}")
        chosen += [FAULTS[name]] * int(count or 1)
    return chosen


def choose(cluster, seed, words=None, may_go_on=lambda: True):
    """The strikes of a run, in their order: of the faults as said, or endlessly by chance. The seed decides everything."""
    chance = random.Random(seed)
    if words is None:
        while may_go_on():
            yield Strike.by_chance(chance.choice(possible(cluster)), chance)
        return
    chosen = parse(words)
    chance.shuffle(chosen)
    for fault in chosen:
        yield Strike.by_chance(fault, chance)


def refuse_impossible(cluster, words):
    for fault in parse(words):
        if not fault.is_possible(cluster):
            raise SystemExit(f"{fault.name} is not possible here: it needs {fault.needs}")
