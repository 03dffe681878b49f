"""Rounds: one fault after the other under load, and what each cost."""

import collections
import dataclasses
import math
import statistics
import time

import causes
from faults import UNNOTICED_SILENCE
from history import History, Outcome, kind_of
from house.waiting import wait_until
from nodes_watch import NodesWatch

HOLD_TIMEOUT_TCP = 9  # seconds: Bellwether's default, because Go clients give a TLS handshake 10


@dataclasses.dataclass
class Round:
    number: int
    strike: object
    old: int
    struck: float = 0.0  # before the fault was asked for
    dealt: float = 0.0  # after it was
    has_hung: bool = False  # the server itself, in what it was asked to do: a hang, whatever was planned
    suspected: float = 0.0  # when Bellwether first knew that something is wrong
    undone: float = 0.0  # by the round itself, where the fault has a length
    new: int | None = None
    election: float = 0.0  # from the fault to the first 200 of the new leader, or of any node after the fault was undone
    added: dict = dataclasses.field(default_factory=dict)  # by kind of client: from there to its first success
    errors: list = dataclasses.field(default_factory=list)
    complaints: list = dataclasses.field(default_factory=list)
    log: str = ""  # what Bellwether said meanwhile

    @property
    def fault(self):
        return self.strike.fault

    @property
    def allowance(self):
        """What Bellwether may add: its probes during an election are a part of its length apart."""
        return 0.030 + 0.025 * self.election

    def __str__(self):
        added = " ".join(f"{kind} +{delay * 1000:.0f} ms" for kind, delay in self.added.items())
        lasted = f" for {self.strike.lasts:.1f} s" if self.strike.lasts else ""
        return (f"{self.number:4d} {self.fault.name:10s}{lasted} n{self.old + 1} -> n{(self.new or 0) + 1} "
                f"suspected {(self.suspected - self.struck) * 1000:4.0f} ms election {self.election * 1000:6.0f} ms  "
                f"{added}  errors {len(self.errors)}"
                + ("  THE SERVER HUNG" if self.has_hung else "")
                + "".join(f"\n       ! {complaint}" for complaint in self.complaints)
                + "".join(f"\n       . {self.ago(error)} {error}" for error in self.errors))

    def ago(self, error):
        return f"begun {(error.begun - self.struck) * 1000:+.0f} ms"


class Rounds:
    """`load` runs already. `proxy_log` returns all that Bellwether has logged; `first_sign(log)`, of a round's log, the
    moment at which it first knew of trouble, or None. `is_fresh`: reads through http mode are verified.
    `settle` waits, once there is a leader again, until the fault has shown all that it does: only then it is undone."""

    def __init__(self, cluster, load, proxy_log, first_sign, is_fresh, say=print, settle=None, timeline=None):
        self._cluster, self._load, self._say = cluster, load, say
        self._proxy_log, self._first_sign, self._is_fresh = proxy_log, first_sign, is_fresh
        # A frozen leader wakes only after clients have found the new one: what it says then is old. Not after all have:
        # on PostgreSQL it may have fallen asleep in a transaction, and who writes the same key waits for its locks.
        self._settle = settle or (lambda: load.wait_for_progress(2, 60, share=0.5))
        self._timeline = timeline
        self.history: History = load.history
        self.rounds = []

    def run(self, strikes):
        for strike in strikes:
            self._one(strike)

    def _one(self, strike):
        self._cluster.heal()
        self._load.wait_for_progress(2, 60)
        time.sleep(strike.pause)
        now = Round(len(self.rounds) + 1, strike, self._cluster.leader())
        self.rounds.append(now)
        logged = len(self._proxy_log())
        claimed = self._until_the_next_leader(now)
        now.election = claimed - now.struck
        self._settle()
        time.sleep(now.fault.goes_on)
        self._cluster.heal()
        self._load.wait_for_progress(1, 60)
        if self._timeline is not None:
            self._timeline.look()
        now.log = self._proxy_log()[logged:]
        self._look(now, claimed)
        self._say(str(now))

    def _until_the_next_leader(self, now):
        """The moment of its first claim."""
        watch = NodesWatch(self._cluster, old=None if now.fault.lasts else now.old)
        if not now.fault.lasts:
            watch.begin()
        now.struck = time.monotonic()
        if not self._is_fresh and now.fault.may_read_old:
            self.history.allow_old_reads(now.struck + now.fault.may_read_old)
        try:
            now.has_hung = bool(now.fault.strike(self._cluster, now.old))
            now.dealt = time.monotonic()
            if now.fault.lasts:
                time.sleep(now.strike.lasts)
                now.fault.undo(self._cluster, now.old)
                now.undone = time.monotonic()
                watch.begin()
            wait_until(watch.first_claim, 60, f"a leader after {now.fault.name}")
        finally:
            watch.stop()
        now.new, claimed = watch.first_claim()
        return claimed

    def _look(self, now, claimed):
        exchanges = self.history.exchanges(since=now.struck)
        now.suspected = self._first_sign(now.log) or now.dealt
        for kind in () if now.fault.stops_nobody else sorted({kind_of(one.client) for one in exchanges}):
            good = [one for one in exchanges if kind_of(one.client) == kind
                    and one.outcome is Outcome.OK and one.ended >= claimed]
            delay = delay_of_the_unhurried(good, claimed, now.suspected) if is_open(kind) else delay_of_the_waiting(good, claimed)
            if delay is not None:
                now.added[kind] = delay
        now.errors = self.history.errors(since=now.struck)
        for error in now.errors:
            complaint = self.complaint(now, error)
            if complaint:
                now.complaints.append(f"{complaint}: {now.ago(error)} {error}")

    def complaint(self, now, error):
        """Why this error should not have been; None: it was the fault's own."""
        noticed = now.undone if now.fault.stalls_everything else now.dealt + now.fault.unnoticed
        if now.has_hung:
            noticed = now.struck + UNNOTICED_SILENCE
        begun_before = error.begun <= noticed
        is_tcp = kind_of(error.client).startswith("tcp")
        if is_tcp and error.outcome is Outcome.NODE_ERROR:
            return None  # a relay cannot take back what the old leader said itself
        if is_tcp and error.outcome is Outcome.BROKEN and error.ended - error.begun >= HOLD_TIMEOUT_TCP <= now.election:
            return None  # held for as long as connections are, and unsent: this election took longer
        if is_unconfirmed_read(error) and error.begun <= max(noticed, now.suspected):
            return None  # verified answers trade an old read for this, until Bellwether knows
        if now.fault.is_harmless and not now.has_hung:
            known = noticed if now.fault.stops_nobody else max(noticed, now.suspected)
            if is_tcp and error.outcome is Outcome.BROKEN and error.begun <= known:
                return None  # its connection led to the old leader before anybody knew
            if now.fault.may_answer_ambiguously and begun_before and "the node said" in error.said:
                return None
            return "an error in what no client may notice"
        if begun_before and has_arrived_in_part(error):
            return None  # the rest of it was lost with the network
        if begun_before and (now.fault.stalls_everything or error.outcome in (Outcome.AMBIGUOUS, Outcome.BROKEN)):
            return None
        return "an error of a request that was not in flight"

    def complaints(self):
        return [f"round {one.number} ({one.fault.name}): {text}" for one in self.rounds for text in one.complaints]

    def summary(self):
        lines = []
        for name in sorted({one.fault.name for one in self.rounds}):
            mine = [one for one in self.rounds if one.fault.name == name]
            elections = [one.election for one in mine]
            hung = sum(one.has_hung for one in mine)
            suspected = [one.suspected - one.struck for one in mine]
            lines.append(f"{name}: {len(mine)} rounds, suspected after median {_ms(statistics.median(suspected))} "
                         f"max {_ms(max(suspected))}, election median {_ms(statistics.median(elections))} "
                         f"max {_ms(max(elections))}, errors {sum(len(one.errors) for one in mine)}"
                         + (f"; the server itself hung in {hung} of them and was killed" if hung else ""))
            lines += _delays(mine)
        if self.rounds:
            lines += ["all:", *_delays(self.rounds)]
        if self._timeline is not None:
            lines += causes.summary(causes.judge(self.rounds, self._timeline))
        return lines + self._errors_by_kind()

    def _errors_by_kind(self):
        counted = collections.Counter((one.fault.name, kind_of(error.client), error.kind, error.outcome.value, error.said)
                                      for one in self.rounds for error in one.errors)
        return [f"  {count:4d} x {' '.join(what)}" for what, count in sorted(counted.items(), key=lambda item: -item[1])]


def is_open(kind):
    """Asks at a rate, whatever becomes of what it asked before."""
    return kind.endswith("-open")


def is_unconfirmed_read(exchange):
    return exchange.kind == "read" and exchange.outcome is Outcome.AMBIGUOUS and "confirm" in exchange.said


def has_arrived_in_part(exchange):
    """So the node itself says when it has waited long enough for the rest: with a 408 (RFC 9110, section 15.5.9), or as
    OpenBao does with what its read of the body failed with. It was not executed."""
    says_so = exchange.said.startswith("408 ") or (exchange.said.startswith("500 read tcp") and "i/o timeout" in exchange.said)
    return exchange.outcome is Outcome.NODE_ERROR and says_so


def delay_of_the_waiting(good, claimed):
    """Clients in a closed loop: from the claim to the first success. All of them may wait for the old leader's answer."""
    return max(0.0, min(one.ended for one in good) - claimed) if good else None


def delay_of_the_unhurried(good, claimed, suspected):
    """Of requests that began only after trouble was known: nothing but Bellwether makes the first of them late.
    One that began after the claim is late by what it took."""
    good = [one for one in good if one.begun >= suspected]
    if not good:
        return None
    first = min(good, key=lambda one: one.ended)
    return first.ended - max(claimed, first.begun)


def _delays(rounds):
    lines = []
    for kind in sorted({kind for one in rounds for kind in one.added}):
        mine = [one for one in rounds if kind in one.added]
        added = sorted(one.added[kind] for one in mine)
        within = sum(one.added[kind] <= one.allowance for one in mine)
        lines.append(f"  {kind}: added delay median {_ms(statistics.median(added))} "
                     f"p98 {_ms(added[math.ceil(0.98 * len(added)) - 1])} max {_ms(added[-1])}, "
                     f"within 30 ms + 2.5 % of the election {within} of {len(mine)}")
    return lines


def _ms(seconds):
    return f"{seconds * 1000:.0f} ms"
