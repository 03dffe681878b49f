"""Two hosts behind one address that keepalived moves, by the configuration that packaging/keepalived has."""

import http.client
import pathlib
import threading
import time

from .bellwether import repository_root
from .network import Host
from .processes import Process
from .waiting import wait_until
from .web import connection, send

VIRTUAL = "10.82.0.100"
PORT = 8200
EXAMPLE = pathlib.Path(repository_root()) / "packaging/keepalived/keepalived.conf"


def keepalived_configuration():
    """The example, of which only the address is another."""
    text = EXAMPLE.read_text(encoding="utf-8")
    assert text.count("192.0.2.10/24") == 1
    return text.replace("192.0.2.10/24", f"{VIRTUAL}/24")


class Member:
    """A host, its keepalived, and the balancer that `start` starts there: it is given the host, and returns a Process."""

    def __init__(self, folder, number, start):
        self.host = Host(folder, f"host{number}", f"10.82.0.{number + 10}")
        self.balancer = start(self.host)
        config = folder / "keepalived.conf"
        config.write_text(keepalived_configuration(), encoding="utf-8")
        pids = [f"--{kind}={folder}/{self.host.name}.{kind}" for kind in ("pid", "vrrp_pid")]
        self.keepalived = Process(f"keepalived of {self.host.name}", [
            *self.host.words(), "keepalived", "--dont-fork", "--log-console", "--vrrp", f"--use-file={config}", *pids],
            folder / f"{self.host.name}.keepalived.log")

    def end(self):
        self.keepalived.end()
        self.balancer.end(patience=40)
        self.host.end()

    def has_address(self):
        return self.host.has(VIRTUAL)


class Pair:
    """Use it in a `with`."""

    def __init__(self, folder, start):
        self.members = []
        try:
            for number in (1, 2):
                self.members.append(Member(folder, number, start))
            wait_until(lambda: self._all_say("bellwether_is_ready) succeeded"), 40, "both to be ready, as keepalived sees them")
            wait_until(self.owner, 20, "one of them to have the address")
        except BaseException:
            self.end()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        for member in self.members:
            member.end()

    def owner(self):
        having = [member for member in self.members if member.has_address()]
        return having[0] if len(having) == 1 else None

    def wait_for_owner_other_than(self, member, timeout=20):
        other = next(each for each in self.members if each is not member)
        wait_until(other.has_address, timeout, f"the address to move: {other.keepalived.log()[-3000:]}")
        return other

    def _all_say(self, text):
        assert all(member.balancer.is_running() for member in self.members), [member.balancer.log() for member in self.members]
        return all(text in member.keepalived.log() for member in self.members)


class Asker(threading.Thread):
    """Asks the address for one thing after the other, on a connection each or on one that it keeps.

    `errors`: each attempt without an answer. `longest_outage`: seconds between two answers, at most."""

    PATIENCE = 1  # seconds for one attempt

    def __init__(self, path, headers, keeps):
        super().__init__(name="kept" if keeps else "fresh")
        self._path, self._headers, self._keeps = path, headers, keeps
        self._finish = threading.Event()
        self.errors, self.answers, self.longest_outage = [], 0, 0.0

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self._finish.set()
        self.join()

    def run(self):
        conn, last = None, time.monotonic()
        while not self._finish.wait(0.005):
            try:
                conn = conn or connection(f"http://{VIRTUAL}:{PORT}", timeout=self.PATIENCE)
                answer = send(conn, "GET", self._path, None, self._headers)
                if answer.status != 404:
                    raise ConnectionError(f"{answer.status} {answer.text()[:200]}")
                self.answers += 1
                now = time.monotonic()
                self.longest_outage, last = max(self.longest_outage, now - last), now
            except (OSError, http.client.HTTPException) as error:
                self.errors.append(f"{error!r}")
                conn = self._closed(conn)
            if conn is not None and not self._keeps:
                conn = self._closed(conn)
        self._closed(conn)

    @staticmethod
    def _closed(conn):
        if conn is not None:
            conn.close()
