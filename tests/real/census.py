"""Sends requests of many kinds straight to one node while it stops to lead, or as a standby, and counts by role and answer
how many of them had an effect although the answer does not say so."""

import collections
import http.client
import json
import pathlib
import threading
import time

from effects import KINDS
from house.waiting import wait_until
from house.web import connection, request, send
from postgresql import WithPostgresql
from real_cluster import RealCluster

NO_FORWARDING = {"X-Vault-No-Request-Forwarding": "true"}  # as Bellwether sends it
THREADS = 4  # of each kind
PAUSE = 0.12  # seconds between two requests of a thread
SPARE = 70  # requests of each kind that a round may need
ROLES = {200: "leader", 429: "standby", 503: "sealed"}

Sent = collections.namedtuple("Sent", "kind ident asked role answer")


class CensusCluster(WithPostgresql, RealCluster):
    """Its storage can be read raw; a PostgreSQL for credentials runs beside it."""

    def __init__(self, server, folder):
        super().__init__(server, folder)
        self.leader_now = 0
        self._after_round = {}

    def _storage(self, node):
        return super()._storage(node) + "\nraw_storage_endpoint = true"

    def tls_ca(self):
        return pathlib.Path(self.tls.ca_file).read_text("ascii")

    def call(self, index, method, path, body=None, timeout=15, headers=None):
        headers = {"X-Vault-Token": self.token, **(headers or {})}
        return request(self.nodes[index].url + path, method, body,
                       {name: value for name, value in headers.items() if value}, self.tls, timeout)

    def any_node_says(self, call, text, first_answer):
        """A node remembers in memory what it has accepted; the text is its refusal to accept it again."""
        if text in first_answer:
            return False
        answers = [self.call(node.index, call.method, f"/v1/{call.path}", call.body, 15, {**(call.headers or {}),
                             **NO_FORWARDING}) for node in self.nodes]
        return any(text in answer.text() for answer in answers)

    def begin_judging(self):
        self.leader_now = self.wait_for_leader()
        self._after_round = {}

    def once_after_round(self, name, function):
        if name not in self._after_round:
            self._after_round[name] = function()
        return self._after_round[name]


class HealthWatch(threading.Thread):
    """What the node says of itself, asked again as soon as it has answered."""

    def __init__(self, cluster, index):
        super().__init__(daemon=True)
        self._cluster, self._index = cluster, index
        self.last, self.finish = 0, threading.Event()

    def run(self):
        while not self.finish.wait(0.01):
            self.last = self._cluster.health(self._index) or self.last

    def role(self):
        return ROLES.get(self.last, "?")


def brief(status, body):
    """The answer as the table names it."""
    if status < 500 and status != 307:
        return f"{status}" + (" " + body[:120] if status >= 400 else "")
    if status == 307:
        return "307"
    try:
        errors = json.loads(body)["errors"]
    except (ValueError, KeyError, TypeError):
        errors = [body]
    return f"{status} " + " | ".join(" ".join(error.split())[:70] for error in errors)


class Sender(threading.Thread):
    """Requests of one kind, one after the other, over one kept connection."""

    def __init__(self, cluster, index, kind, idents, watch):
        super().__init__(daemon=True)
        self._cluster, self._kind, self._idents, self._watch = cluster, kind, idents, watch
        self._node = cluster.nodes[index]
        self._connection = None
        self.finish, self.sent = threading.Event(), []

    def run(self):
        while not self.finish.wait(PAUSE):
            try:
                ident = self._idents.popleft()
            except IndexError:
                return
            self._send(ident)

    def _send(self, ident):
        call = self._kind.call(ident)
        headers = {"X-Vault-Token": self._cluster.token, **NO_FORWARDING, **(call.headers or {})}
        asked, role = time.monotonic(), self._watch.role()
        try:
            if self._connection is None or self._connection.sock is None:
                self._connection = connection(self._node.url, self._cluster.tls, 40)
            answer = send(self._connection, call.method, f"/v1/{call.path}", call.body,
                          {name: value for name, value in headers.items() if value})
            said = brief(answer.status, answer.text())
        except ConnectionRefusedError:
            said = "refused"
        except (OSError, http.client.HTTPException) as error:
            said = f"cut ({type(error).__name__})"
            self._connection = None
        self.sent.append(Sent(self._kind, ident, asked, role, said))


class Census:
    def __init__(self, cluster):
        self.cluster = cluster
        self.table = collections.Counter()  # (kind, role, answer, had an effect) -> requests
        self.repeats = collections.Counter()  # (kind, status) -> what was refused with an effect, sent to the new leader
        self._number = 0
        cluster.leader_now = cluster.wait_for_leader()
        self.kinds = [kind(cluster) for kind in KINDS]
        for kind in self.kinds:
            kind.setup()

    def close(self):
        for kind in self.kinds:
            kind.close()

    def round(self, kinds, index, fault):
        """`fault(index)` is done to the node while requests of these kinds run; returns when they are judged."""
        self.cluster.leader_now = self.cluster.wait_for_leader()
        watch = HealthWatch(self.cluster, index)
        idents = {kind: self._make(kind) for kind in kinds}
        watch.start()
        wait_until(lambda: watch.last, 5, "the node's health")
        senders = [Sender(self.cluster, index, kind, idents[kind], watch) for kind in kinds for _ in range(THREADS)]
        for sender in senders:
            sender.start()
        fault(index)
        for sender in senders:
            sender.finish.set()
        for sender in senders:
            sender.join(60)
        watch.finish.set()
        self._judge([one for sender in senders for one in sender.sent])

    def _make(self, kind):
        made = collections.deque()
        for _ in range(SPARE):
            self._number += 1
            ident = f"q{self._number}"
            kind.prepare(ident)
            made.append(ident)
        return made

    def _judge(self, sent):
        self.cluster.heal()
        self.cluster.begin_judging()
        for one in sent:
            had_effect = None if one.answer.startswith("2") else one.kind.acted(one.ident, one.answer)
            self.table[one.kind.name, one.role, one.answer, had_effect] += 1
            if had_effect and one.kind.may_be_repeated:
                call = one.kind.call(one.ident)
                again = self.cluster.call(self.cluster.leader_now, call.method, f"/v1/{call.path}", call.body, 30)
                self.repeats[one.kind.name, again.status] += 1

    def rows(self):
        """(kind, role, answer) -> (sent, with an effect)"""
        rows = collections.defaultdict(lambda: [0, 0])
        for (kind, role, answer, had_effect), count in self.table.items():
            rows[kind, role, answer][0] += count
            rows[kind, role, answer][1] += count if had_effect else 0
        return dict(rows)

    def save(self, path):
        lines = [{"kind": kind, "role": role, "answer": answer, "sent": sent, "acted": acted}
                 for (kind, role, answer), (sent, acted) in sorted(self.rows().items())]
        pathlib.Path(path).write_text(json.dumps(lines, indent=0), encoding="utf-8")


# The faults, each from half a second before it until the node has been something else for a while.

def as_standby(_index):
    time.sleep(1.5)


def stepping_down(cluster):
    def fault(index):
        time.sleep(0.4)
        cluster.step_down(index)
        wait_until(lambda: cluster.health(index) == 429, 20, "the leader to be a standby")
        time.sleep(0.8)
    return fault


def sealing(cluster):
    def fault(index):
        time.sleep(0.4)
        cluster.seal(index)
        time.sleep(0.5)
    return fault


def losing_leadership(cluster):
    """Frozen in the midst of requests, and woken when another leads: its raft log takes no more."""
    def fault(index):
        time.sleep(0.4)
        cluster.freeze(index)
        try:
            cluster.wait_for_leader(other_than=index, timeout=30)
        finally:
            cluster.thaw(index)
        wait_until(lambda: cluster.health(index) == 429, 20, "the former leader to be a standby")
        time.sleep(0.5)
    return fault
