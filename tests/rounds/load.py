"""Clients that keep a cluster busy and know what the truth must be."""

import collections
import http.client
import json
import threading
import time

from history import Exchange, Outcome, Register, kind_of
from house.waiting import WaitedInVain, wait_until
from house.web import connection, send

_MISMATCH = "check-and-set parameter did not match"


def judge(status, answer):
    """What an answer of a proxy or a node says about the request."""
    text = " ".join("; ".join(answer.get("errors") or []).split())
    if status == 200:
        return Outcome.OK, ""
    if status == 400 and _MISMATCH in text:
        return Outcome.TOLD, f"{status} {text}"
    if status == 0:
        return Outcome.BROKEN, text
    if status == 502:
        return Outcome.AMBIGUOUS, f"{status} {text}"
    if status == 503 and (text.startswith("not executed") or text.startswith("no leader")):
        return Outcome.REFUSED, f"{status} {text}"
    return Outcome.NODE_ERROR, f"{status} {text}"


class Pace:
    """A rate that many threads keep together. A moment that finds none of them free is left out."""

    def __init__(self, rate):
        self._gap = 1 / rate
        self._lock = threading.Lock()
        self._next = time.monotonic()

    def wait_for_turn(self, finish):
        with self._lock:
            due = max(self._next, time.monotonic())
            self._next = due + self._gap
        finish.wait(due - time.monotonic())


class Entry:
    """One numbered entry and its client's connection: written with the next number, read back. One request at a time."""

    def __init__(self, name, url, tls, token, history, keeps_alive=True, patience=40):
        self.name = name
        self._url, self._tls, self._token = url, tls, token
        self._path = f"/v1/secret/data/{name}"
        self._keeps_alive, self._patience = keeps_alive, patience
        # A relay cannot see that a node, demoted a moment ago, answers a read itself.
        self.register = Register(name, history, is_promised_fresh_reads=keeps_alive)
        self._connection = None
        self._asked = None  # what waits for its answer, and since when

    @property
    def kind(self):
        return kind_of(self.name)

    def waits_for(self):
        """For who wonders why it does not go on."""
        asked = self._asked
        return f"{self.name} waits for its {asked[0]} since {time.monotonic() - asked[1]:.1f} s" if asked else self.name

    def close(self):
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _call(self, method, body=None):
        begun = time.monotonic()
        self._asked = method, begun
        try:
            if self._connection is None or self._connection.sock is None:
                self.close()
                self._connection = connection(self._url, self._tls, self._patience)
            answer = send(self._connection, method, self._path, body, {"X-Vault-Token": self._token})
            said = answer.status, json.loads(answer.body or b"{}")
        except (OSError, ValueError, http.client.HTTPException) as broken:
            said = 0, {"errors": [f"{type(broken).__name__} {broken}"]}
        self._asked = None
        if said[0] == 0 or not self._keeps_alive:
            self.close()
        return (*said, begun, time.monotonic())

    def write(self):
        number = self.register.acknowledged + 1
        status, answer, begun, ended = self._call("POST", {"options": {"cas": number - 1}, "data": {"number": number}})
        outcome, said = judge(status, answer)
        if outcome is Outcome.OK:
            number = answer["data"]["version"]
        exchange = Exchange(self.name, "write", number, begun, ended, outcome, said)
        if outcome is Outcome.TOLD:
            self.register.mismatched(exchange)
        else:
            self.register.wrote(exchange)

    def read(self):
        self.register.read(self._look()[0])

    def _look(self):
        status, answer, begun, ended = self._call("GET")
        # Nothing was ever written: a node says 404.
        outcome, said = (Outcome.OK, "") if status == 404 else judge(status, answer)
        found = answer["data"] if status == 200 else {"data": {"number": 0}, "metadata": {"version": 0}}
        number = found["data"]["number"]
        return Exchange(self.name, "read", number, begun, ended, outcome, said), found["metadata"]["version"]

    def last_look(self):
        """When nobody uses it and the cluster is well."""
        self.register.ended(*self._look())
        self.close()


class Writer(threading.Thread):
    """Writes its entry and reads it back: in a closed loop, or at the pace that it shares."""

    def __init__(self, name, pace=None, **entry):
        super().__init__(name=name, daemon=True)
        self._pace = pace
        self.entry = Entry(name, **entry)
        self.register = self.entry.register
        self.finish = threading.Event()

    def run(self):
        while not self.finish.is_set():
            for ask in (self.entry.write, self.entry.read):
                if self._pace is not None:
                    self._pace.wait_for_turn(self.finish)
                ask()
        self.entry.close()


class Load:
    """All clients of a run."""

    def __init__(self, history):
        self.history = history
        self.writers = []

    def add(self, **settings):
        self.writers.append(Writer(history=self.history, **settings))

    def start(self):
        for writer in self.writers:
            writer.start()
        self.wait_for_progress(3, 30)

    def wait_for_progress(self, writes=3, patience=60, share=1.0):
        """That share of each kind of them writes on."""
        wanted = [(writer, writer.register.acknowledged + writes) for writer in self.writers]

        def missing():
            late = [writer for writer, number in wanted if writer.register.acknowledged < number]
            by_kind = collections.Counter(writer.entry.kind for writer in self.writers)
            late_by_kind = collections.Counter(writer.entry.kind for writer in late)
            return late if any(late_by_kind[kind] > (1 - share) * count for kind, count in by_kind.items()) else []

        try:
            wait_until(lambda: not missing(), patience, "all clients to write on")
        except WaitedInVain as vain:
            raise WaitedInVain(f"{vain}; {', '.join(writer.entry.waits_for() for writer in missing())}") from vain

    def stop(self):
        for writer in self.writers:
            writer.finish.set()
        for writer in self.writers:
            writer.join(60)
            assert not writer.is_alive(), f"{writer.name} hangs"
        for writer in self.writers:
            writer.entry.last_look()
