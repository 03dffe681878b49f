"""Faults that a round may bring, by name. Each is done to the leader and undone by the cluster's heal()."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Fault:
    name: str
    strike: object  # strike(cluster, leader_index)
    is_planned: bool  # clients must not notice
    # The leader itself may answer what was in flight with an error that proves nothing (vault-facts: sealed midway).
    may_answer_ambiguously: bool = False
    # What is sent within so many seconds may be lost: nothing tells yet that the leader is gone.
    unnoticed: float = 0.0


def _freeze(cluster, leader):
    cluster.freeze(leader)


FAULTS = {
    fault.name: fault
    for fault in (
        Fault("step_down", lambda cluster, leader: cluster.step_down(leader), is_planned=True),
        Fault("seal", lambda cluster, leader: cluster.seal(leader), is_planned=True, may_answer_ambiguously=True),
        Fault("term", lambda cluster, leader: cluster.terminate(leader), is_planned=False),
        Fault("kill", lambda cluster, leader: cluster.kill(leader), is_planned=False),
        Fault("freeze", _freeze, is_planned=False, unnoticed=0.15),
    )
}


def parse(words):
    """"step_down:20,seal:5" or "kill": the faults, each as often as said."""
    chosen = []
    for word in words.split(","):
        name, _, count = word.partition(":")
        if name not in FAULTS:
            raise SystemExit(f"no fault is called {name!r}; there are: {', '.join(FAULTS)}")
        chosen += [FAULTS[name]] * int(count or 1)
    return chosen
