"""TLS records that hold no data, sent without end by a client or a node: they keep nobody else waiting."""

import threading
import time

import pytest

from house.bellwether import LOOPBACK, Bellwether, is_sanitized
from house.certificates import Certificates
from house.leader_server import LeaderServer
from house.raw_tls import LyingNode, key_update_flood
from house.waiting import wait_until
from house.web import Tls, connection, send

NAME = "bellwether.test"
# The release build is held to what is promised, with a flood of 27 MB; sanitizers multiply every time.
STRICT = not is_sanitized()
UPDATES = 1_000_000 if STRICT else 60_000
WORST_WAIT = 0.1 if STRICT else 3.0
INTER = 0.05
PACE = 0.9 if STRICT else 0.1
MEMORY = 64 << 20
FLOODS = 3


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("ours"), common_name=NAME)


class Client:
    """Asks over and over on one connection, and notes how long it waited at the worst."""

    def __init__(self, proxy, tls, path="/v1/secret/a"):
        self.worst = 0.0
        self.answers = 0
        self.failure = None
        self._over = threading.Event()
        self._conn = connection(f"https://{proxy.address}", tls, timeout=60)
        self._path = path
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        try:
            while not self._over.wait(0.002):
                began = time.monotonic()
                assert send(self._conn, "GET", self._path).status == 200
                self.worst = max(self.worst, time.monotonic() - began)
                self.answers += 1
        except (OSError, AssertionError) as failure:
            self.failure = failure

    def end(self):
        self._over.set()
        self._thread.join(70)
        self._conn.close()
        assert self.failure is None, self.failure


def probes(proxy):
    return proxy.metrics().sum("bellwether_probes_total")


@pytest.fixture(params=[1, 2])
def proxy(request, ours, tmp_path):
    cert, key = ours.issue("listener")
    with LeaderServer() as leader:
        words = [*LOOPBACK, "--mode", "http", "--tls-cert", cert, "--tls-key", key, "--inter", f"{int(INTER * 1000)}ms",
                 leader.url]
        with Bellwether(tmp_path, words, env={"BELLWETHER_THREADS": str(request.param)}) as made:
            yield made.wait_ready()


def test_a_flood_of_key_updates_keeps_no_other_client_and_no_probe_waiting(proxy, ours):
    floods = [key_update_flood(proxy.address, UPDATES // FLOODS) for _ in range(FLOODS)]
    clients = [Client(proxy, Tls(ours.ca_file, NAME)) for _ in range(4)]
    try:
        wait_until(lambda: all(client.answers > 20 for client in clients), 30, "the clients to be served")
        for client in clients:
            client.worst = 0.0
        before, began = probes(proxy), time.monotonic()
        ended = [send_all(peer, flood) for peer, flood in floods]
        wait_until(lambda: probes(proxy) - before >= 20, 60, "twenty probes")
        pace = (probes(proxy) - before) * INTER / (time.monotonic() - began)
    finally:
        for client in clients:
            client.end()
        for peer, _ in floods:
            peer.close()
    assert all(ended), "the flood was taken to its end"
    assert max(client.worst for client in clients) <= WORST_WAIT
    assert pace >= PACE
    if STRICT:
        assert proxy.process.peak_rss_bytes() <= MEMORY


def send_all(peer, flood):
    """True if the other side ended the connection meanwhile."""
    try:
        peer.sock.sendall(flood)
        peer.sock.settimeout(60)
        while peer.sock.recv(1 << 20):
            pass
    except TimeoutError:
        return False
    except ConnectionError:
        pass
    return True


def test_a_node_that_floods_keeps_no_probe_of_another_waiting(ours, tmp_path):
    pair = ours.issue("node")
    with LeaderServer(*pair) as leader, LyingNode(pair, UPDATES // 10) as liar:
        words = [*LOOPBACK, "--mode", "http", "--inter", f"{int(INTER * 1000)}ms", "--ca-file", ours.ca_file,
                 "--server-name", NAME, leader.url, liar.url]
        with Bellwether(tmp_path, words) as proxy:
            proxy.wait_ready()
            good = leader_name(proxy)
            before, began = probes_of(proxy, good), time.monotonic()
            wait_until(lambda: liar.floods >= 2 and probes_of(proxy, good) - before >= 20, 60, "two floods, twenty probes")
            pace = (probes_of(proxy, good) - before) * INTER / (time.monotonic() - began)
            assert pace >= PACE
            if STRICT:
                assert proxy.process.peak_rss_bytes() <= MEMORY


def leader_name(proxy):
    return wait_until(proxy.leader_by_metrics, 20, "a leader")


def probes_of(proxy, node):
    return proxy.metrics().sum("bellwether_probes_total", node=node)
