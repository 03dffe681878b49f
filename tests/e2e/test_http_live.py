"""What the traffic of http mode tells the tracker: that a leader is alive, and that it answers health and nothing else."""

import threading

import pytest

from house.fake_leader import answer
from house.http_site import HttpSite
from house.waiting import wait_until


class Slow:
    """A node whose answers to clients wait until they are let go."""

    def __init__(self):
        self.let_go = threading.Event()

    def __call__(self, conn, head):
        assert self.let_go.wait(60)
        conn.send(answer(b"{}"))


def get(site, path):
    return threading.Thread(target=site.ask, daemon=True,
                            args=(f"GET {path} HTTP/1.1\r\nHost: v\r\nConnection: close\r\n\r\n".encode(),))


@pytest.fixture
def slow():
    return Slow()


def test_a_leader_that_answers_health_and_nothing_else_is_said_to_be_stalled(tmp_path, slow):
    with HttpSite(tmp_path, {"/v1/frozen": slow}) as site:
        clients = [get(site, "/v1/frozen") for _ in range(3)]
        for client in clients:
            client.start()
        wait_until(lambda: site.proxy.status()["stalled"], 20, "the stall to be seen")
        assert site.proxy.metrics().sum("bellwether_stalled") == 1
        assert site.proxy.events("leader_stalled")
        slow.let_go.set()
        for client in clients:
            client.join(20)
        wait_until(lambda: not site.proxy.status()["stalled"], 20, "its end")
        assert site.proxy.events("leader_stall_ended")
        assert site.proxy.status()["leader"]["epoch"] == 1, "a stall alone changes nothing"


def test_two_slow_requests_beside_answered_ones_are_no_stall(tmp_path, slow):
    with HttpSite(tmp_path, {"/v1/frozen": slow}) as site:
        clients = [get(site, "/v1/frozen") for _ in range(2)]
        for client in clients:
            client.start()
        wait_until(lambda: len(site.node.seen) >= 2, 20, "the node to have been asked")
        seen = site.proxy.metrics().sum("bellwether_probes_total")
        wait_until(lambda: site.proxy.metrics().sum("bellwether_probes_total") >= seen + 3, 20, "three more probes")
        assert not site.proxy.events("leader_stalled")
        slow.let_go.set()
        for client in clients:
            client.join(20)
