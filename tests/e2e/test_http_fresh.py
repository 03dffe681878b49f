"""A node that was demoted between two probes answers reads itself, out of date, as OpenBao's standbys do from 2.5 on."""

import threading

import pytest

from house.bellwether import LOOPBACK, Bellwether
from house.sim_cluster import SimCluster
from house.waiting import wait_until
from house.web import connection, send

KEY = "/v1/secret/data/fresh"


class Secret:
    """Numbered versions of one secret, read by GET."""

    @staticmethod
    def write(number):
        return "POST", KEY, {"data": {"number": number}}

    @staticmethod
    def read(_):
        return "GET", KEY, None

    @staticmethod
    def found(answer, _):
        return answer.json()["data"]["data"]["number"] if answer.status == 200 else 0


class Token:
    """Numbered tokens, looked up by POST: a node that does not know of one yet says 403."""

    @staticmethod
    def write(number):
        return "POST", "/v1/auth/token/create", {"id": f"token-{number}"}

    @staticmethod
    def read(number):
        return "POST", "/v1/auth/token/lookup", {"token": f"token-{number}"}

    @staticmethod
    def found(answer, number):
        return number if answer.status == 200 else 0


@pytest.fixture
def treacherous(tmp_path):
    """Steps down without a moment of silence, and is far behind from then on."""
    words = ["--demotion-block", "0ms", "--election", "20ms", "--replication-lag", "10s"]
    with SimCluster.running(tmp_path / "sim", tls=False, words=words) as made:
        yield made


class Reader(threading.Thread):
    """Reads in a closed loop, and compares each answer with what had been acknowledged before it asked."""

    def __init__(self, address, token, acknowledged, what):
        super().__init__()
        self._address, self._token, self._acknowledged, self._what = address, token, acknowledged, what
        self.finish = threading.Event()
        self.reads = 0
        self.stale = []
        self.errors = []

    def run(self):
        conn = connection(f"http://{self._address}", timeout=20)
        while not self.finish.is_set():
            floor = self._acknowledged[-1]
            method, path, body = self._what.read(floor)
            answer = send(conn, method, path, body, {"X-Vault-Token": self._token})
            if answer.status == 502:
                self.errors.append(answer)
            else:
                found = self._what.found(answer, floor)
                if found < floor:
                    self.stale.append((found, floor))
            self.reads += 1
        conn.close()


def read_through_a_change(proxy, sim, what):
    """Readers through Bellwether, a writer at the leader itself, and a step-down that nobody tells Bellwether of."""
    acknowledged = [0]

    def write(index):
        answer = sim.call(index, *what.write(acknowledged[-1] + 1))
        assert answer.status == 200, answer
        acknowledged.append(acknowledged[-1] + 1)

    old = sim.leader()
    write(old)
    readers = [Reader(proxy.address, sim.token, acknowledged, what) for _ in range(4)]
    for reader in readers:
        reader.start()
    try:
        wait_until(lambda: all(reader.reads > 20 for reader in readers), 20, "all to read")
        sim.step_down(old)
        new = sim.wait_for_leader(other_than=old)
        for _ in range(20):
            write(new)
        so_far = [reader.reads for reader in readers]
        wait_until(lambda: all(reader.reads > old + 20 for reader, old in zip(readers, so_far)), 20, "all to read on")
        wait_until(lambda: proxy.leader_by_status() == sim_name(proxy, sim, new), 20, "bellwether to follow")
    finally:
        for reader in readers:
            reader.finish.set()
        for reader in readers:
            reader.join(30)
    return readers


def sim_name(proxy, sim, index):
    url = sim.nodes[index].url
    return next(node["name"] for node in proxy.status()["nodes"] if node["name"] == url.split("//")[1])


@pytest.mark.parametrize("what", [Secret, Token])
def test_without_fresh_a_demoted_node_is_believed_until_the_next_probe(treacherous, tmp_path, what):
    with Bellwether(tmp_path, [*LOOPBACK, "--mode", "http", *treacherous.urls]) as proxy:
        readers = read_through_a_change(proxy.wait_ready(), treacherous, what)
        assert any(reader.stale for reader in readers), "the cluster is not treacherous enough for the test below"


@pytest.mark.parametrize("what", [Secret, Token])
def test_with_fresh_no_read_is_out_of_date(treacherous, tmp_path, what):
    with Bellwether(tmp_path, [*LOOPBACK, "--mode", "http", "--fresh", *treacherous.urls]) as proxy:
        readers = read_through_a_change(proxy.wait_ready(), treacherous, what)
        assert [reader.stale for reader in readers] == [[], [], [], []]
        # A client is told at most once, of what was on its way at that moment.
        assert max(len(reader.errors) for reader in readers) <= 1
        unconfirmed = proxy.metrics().sum("bellwether_judged_answers_total", row="unconfirmed")
        assert unconfirmed == sum(len(reader.errors) for reader in readers)
