"""Rounds: one fault after the other under load, and what each cost."""

import dataclasses
import statistics
import time

from history import History, Outcome
from house.waiting import wait_until
from nodes_watch import NodesWatch


@dataclasses.dataclass
class Round:
    number: int
    fault: object
    old: int
    struck: float = 0.0  # before the fault was asked for
    dealt: float = 0.0  # after it was
    new: int | None = None
    election: float = 0.0  # from the fault to the new leader's first 200
    added: dict = dataclasses.field(default_factory=dict)  # by kind of client: from there to its first success
    errors: list = dataclasses.field(default_factory=list)
    complaints: list = dataclasses.field(default_factory=list)

    def __str__(self):
        added = " ".join(f"{kind} +{delay * 1000:.0f} ms" for kind, delay in self.added.items())
        return (f"{self.number:4d} {self.fault.name:10s} n{self.old + 1} -> n{(self.new or 0) + 1} "
                f"election {self.election * 1000:6.0f} ms  {added}  errors {len(self.errors)}"
                + "".join(f"\n       ! {complaint}" for complaint in self.complaints)
                + "".join(f"\n       . {error}" for error in self.errors))


class Rounds:
    """`load` runs already. `kind_of` names the kind of a client by its name."""

    def __init__(self, cluster, load, kind_of, say=print):
        self._cluster, self._load, self._kind_of, self._say = cluster, load, kind_of, say
        self.history: History = load.history
        self.rounds = []

    def run(self, faults):
        for fault in faults:
            self._one(fault)

    def _one(self, fault):
        self._cluster.heal()
        self._load.wait_for_progress(2, 60)
        now = Round(len(self.rounds) + 1, fault, self._cluster.leader())
        self.rounds.append(now)
        watch = NodesWatch(self._cluster, without=now.old)
        now.struck = time.monotonic()
        try:
            fault.strike(self._cluster, now.old)
            now.dealt = time.monotonic()
            wait_until(watch.first_claim, 60, f"a new leader after {fault.name}")
        finally:
            watch.stop()
        now.new, claimed = watch.first_claim()
        now.election = claimed - now.struck
        # A frozen leader wakes only after clients have found the new one: what it says then is old.
        self._load.wait_for_progress(2, 60)
        self._cluster.heal()
        self._load.wait_for_progress(1, 60)
        self._look(now, claimed)
        self._say(str(now))

    def _look(self, now, claimed):
        exchanges = self.history.exchanges(since=now.struck)
        for kind in sorted({self._kind_of(one.client) for one in exchanges}):
            mine = [one.ended for one in exchanges if self._kind_of(one.client) == kind
                    and one.outcome is Outcome.OK and one.ended >= claimed]
            now.added[kind] = max(0.0, min(mine) - claimed)
        now.errors = self.history.errors(since=now.struck)
        for error in now.errors:
            complaint = self._complaint(now, error)
            if complaint:
                now.complaints.append(f"{complaint}: {error}")

    def _complaint(self, now, error):
        """Why this error should not have been; None: it was the fault's own."""
        begun_before = error.begun <= now.dealt + now.fault.unnoticed
        if self._kind_of(error.client) == "tcp" and error.outcome is Outcome.NODE_ERROR:
            return None  # a relay cannot take back what the old leader said itself
        if now.fault.is_planned:
            if now.fault.may_answer_ambiguously and begun_before and "the node said" in error.said:
                return None
            return "an error in a planned change of leader"
        if error.outcome in (Outcome.AMBIGUOUS, Outcome.BROKEN) and begun_before:
            return None
        return "an error of a request that was not in flight"

    def complaints(self):
        return [f"round {one.number} ({one.fault.name}): {text}" for one in self.rounds for text in one.complaints]

    def summary(self):
        lines = []
        for name in sorted({one.fault.name for one in self.rounds}):
            mine = [one for one in self.rounds if one.fault.name == name]
            elections = [one.election for one in mine]
            lines.append(f"{name}: {len(mine)} rounds, election median {_ms(statistics.median(elections))} "
                         f"max {_ms(max(elections))}, errors {sum(len(one.errors) for one in mine)}")
            for kind in sorted({kind for one in mine for kind in one.added}):
                added = sorted(one.added[kind] for one in mine if kind in one.added)
                lines.append(f"  {kind}: added delay median {_ms(statistics.median(added))} max {_ms(added[-1])}")
        return lines


def _ms(seconds):
    return f"{seconds * 1000:.0f} ms"
