"""What clients saw, and the judgement: what a proxy before a cluster must never let happen."""

import dataclasses
import enum
import threading


def kind_of(client):
    """http-open-3 is one of http-open."""
    return client.rpartition("-")[0]


class Outcome(enum.Enum):
    OK = "ok"
    REFUSED = "refused"  # an answer that says: not executed
    AMBIGUOUS = "ambiguous"  # an answer that says: perhaps executed
    NODE_ERROR = "node_error"  # the node's own error, passed on
    BROKEN = "broken"  # no whole answer
    TOLD = "told"  # a check that failed: the fate of a doubtful write is known


@dataclasses.dataclass
class Exchange:
    """One request of one client. Times in seconds of the monotonic clock."""

    client: str
    kind: str  # "write" or "read"
    number: int  # the version written or read; 0 where nothing is known
    begun: float
    ended: float
    outcome: Outcome
    said: str = ""

    def was_in_flight_at(self, moment):
        return self.begun <= moment <= self.ended

    def __str__(self):
        return (f"{self.client} {self.kind} {self.number} {self.outcome.value} "
                f"after {(self.ended - self.begun) * 1000:.0f} ms {self.said}")


@dataclasses.dataclass
class Violation:
    """A promise that was broken."""

    what: str
    exchange: Exchange

    def __str__(self):
        return f"{self.what}: {self.exchange}"


class History:
    """Everything that all clients saw, in the order in which it ended. Any thread."""

    def __init__(self):
        self._lock = threading.Lock()
        self._exchanges = []
        self._violations = []
        self._excused = []
        self._old_reads_until = -1.0

    def add(self, exchange):
        with self._lock:
            self._exchanges.append(exchange)

    def violate(self, what, exchange):
        with self._lock:
            self._violations.append(Violation(what, exchange))

    def excuse(self, what, exchange):
        """Wrong, but not promised."""
        with self._lock:
            self._excused.append(Violation(what, exchange))

    def allow_old_reads(self, until):
        """Of what begins before that moment: its leader may be one that does not know yet that it was replaced."""
        with self._lock:
            self._old_reads_until = until

    def complain_of_old_read(self, what, exchange):
        with self._lock:
            is_allowed = exchange.begun <= self._old_reads_until
            (self._excused if is_allowed else self._violations).append(Violation(what, exchange))

    def excused(self):
        with self._lock:
            return list(self._excused)

    def exchanges(self, since=0.0, until=float("inf")):
        with self._lock:
            return [one for one in self._exchanges if one.ended >= since and one.begun <= until]

    def errors(self, since=0.0, until=float("inf")):
        return [one for one in self.exchanges(since, until) if one.outcome not in (Outcome.OK, Outcome.TOLD)]

    def violations(self):
        with self._lock:
            return list(self._violations)


class Register:
    """One client's numbered entry, written with check-and-set and read back: its own view of what must be true.

    A write that failed ambiguously may be executed at any later time, so a check that fails after it proves nothing;
    without one, either a request was executed twice, or who checked was behind: what is found next decides."""

    def __init__(self, client, history, is_promised_fresh_reads=True):
        self._client = client
        self._history = history
        self._complain_of_old_read = history.complain_of_old_read if is_promised_fresh_reads else history.excuse
        self.acknowledged = 0  # the newest version that the server confirmed
        self.seen = 0  # the newest version that was read or confirmed
        self._doubtful = False  # a write is out whose fate nobody knows
        self._puzzle = None  # a check that should have held
        self._refused = None  # the last write, if it was said not to have been executed

    def wrote(self, exchange):
        self._history.add(exchange)
        if exchange.outcome is Outcome.OK:
            if exchange.number != self.acknowledged + 1:
                self._history.violate("a write was executed twice", exchange)
            else:
                self._solve_by_nothing_more()
            self.acknowledged = self.seen = max(self.acknowledged, exchange.number)
            self._doubtful, self._refused = False, None
        elif exchange.outcome is Outcome.REFUSED:
            self._refused = exchange
        else:
            self._doubtful = True

    def mismatched(self, exchange):
        """The check failed: the entry is at another version than this client believes."""
        self._history.add(exchange)
        if not self._doubtful:
            self._puzzle = exchange

    def _solve_by_nothing_more(self):
        if self._puzzle is not None:
            self._complain_of_old_read("a check was made against old data", self._puzzle)
            self._puzzle = None

    def read(self, exchange):
        self._history.add(exchange)
        if exchange.outcome is not Outcome.OK:
            return
        if exchange.number < self.acknowledged:
            self._complain_of_old_read("a read is older than an acknowledged write", exchange)
        elif exchange.number < self.seen:
            self._complain_of_old_read("reads went back in time", exchange)
        if exchange.number > self.acknowledged:
            self._found_unacknowledged(exchange)
        elif exchange.number == self.acknowledged:
            self._solve_by_nothing_more()
        self.seen = max(self.seen, exchange.number)

    def _found_unacknowledged(self, exchange):
        if not self._doubtful:
            what = "executed after it was said not to be" if self._refused else "a write was executed twice"
            self._history.violate(what, exchange)
        self.acknowledged = exchange.number
        self._doubtful, self._puzzle = False, None

    def ended(self, exchange, version):
        """The last look at the entry, and the server's own count of its versions."""
        self._complain_of_old_read = self._history.violate  # now the cluster is well
        self.read(exchange)
        if exchange.outcome is Outcome.OK and version != exchange.number:
            self._history.violate("a write was executed twice", exchange)
