"""A proxy that nobody uses asks rarely; the first request after that goes to the right node all the same."""

import time

import pytest

from house.bellwether import LOOPBACK, Bellwether
from house.sim_cluster import SimCluster
from house.waiting import wait_until
from house.web import request

PATH = "/v1/secret/data/idle"
CHANGES = 6


@pytest.fixture
def restless(tmp_path):
    """Its elections are over before an idle proxy looks again."""
    words = ["--election", "100ms", "--demotion-block", "100ms"]
    with SimCluster.running(tmp_path / "sim", tls=False, words=words) as made:
        yield made


def is_idle(proxy):
    return proxy.status()["idle"]


@pytest.mark.parametrize("mode", ["http", "tcp"])
def test_the_first_request_after_an_unnoticed_change_goes_to_the_new_leader(restless, tmp_path, mode):
    idle = ["--idle-after", "300ms", "--idle-inter", "1h"]
    words = [*LOOPBACK, "--mode", mode, *idle, "--log-requests", "--log-sessions", *restless.urls]
    with Bellwether(tmp_path, words) as proxy:
        proxy.wait_ready()
        names = [node["name"] for node in proxy.status()["nodes"]]
        for change in range(CHANGES):
            wait_until(lambda: is_idle(proxy), 10, "an idle proxy")
            old = restless.leader()
            restless.step_down(old)
            new = restless.wait_for_leader(other_than=old)
            assert is_idle(proxy) and proxy.leader_by_status() == names[old], "the change was noticed"

            began = time.monotonic()
            answer = request(f"http://{proxy.address}{PATH}", "PUT", {"data": {"change": change}},
                             {"X-Vault-Token": restless.token}, timeout=15)
            took = time.monotonic() - began
            assert answer.status == 200, answer
            assert took < 2, f"{took:.3f} s, though a leader was there"
            event = "request" if mode == "http" else "session"
            wait_until(lambda: len(proxy.events(event)) > change, 10, "the log line")
            line = proxy.events(event)[change].fields
            assert line["node"] == names[new], line
            assert mode == "tcp" or line["sends"] == "1", line


def test_an_idle_proxy_asks_every_idle_inter_and_no_oftener(sim, tmp_path):
    with Bellwether(tmp_path, [*LOOPBACK, "--idle-after", "300ms", "--idle-inter", "1h", *sim.urls]) as proxy:
        proxy.wait_ready()
        wait_until(lambda: is_idle(proxy), 10, "an idle proxy")
        before = proxy.metrics().sum("bellwether_probes_total")
        until = time.monotonic() + 3  # three times inter, which is 1 s
        wait_until(lambda: time.monotonic() > until, 10, "three seconds", every=0.5)
        assert proxy.metrics().sum("bellwether_probes_total") == before
