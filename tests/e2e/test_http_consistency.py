"""Consistency headers of OpenBao 2.7, before a simulated cluster that plays such nodes."""

import threading

import pytest

from house.bellwether import LOOPBACK, Bellwether
from house.sim_cluster import SimCluster
from house.waiting import wait_until
from house.web import request


@pytest.fixture
def cluster(tmp_path, request):
    with SimCluster.running(tmp_path / "sim", tls=False, words=request.param) as made:
        yield made


def forwarding(words):
    return pytest.mark.parametrize("cluster", [words], indirect=True)


def ask(proxy, cluster, method, path, body=None, index=None):
    headers = {"X-Vault-Token": cluster.token, **({"X-Vault-Index": index} if index else {})}
    return request(f"http://{proxy.address}{path}", method, body, headers, timeout=40)


class StrictCluster(SimCluster):
    """Its standbys forward what carries no consistency header: who asks for their own health must say so."""

    def health(self, index):
        try:
            return request(self.nodes[index].url + "/v1/sys/health", headers={"X-Vault-Inconsistent": "fail"}, timeout=2).status
        except OSError:
            return 0


def test_standbys_that_forward_health_are_not_taken_for_leaders(tmp_path):
    cluster = StrictCluster(tmp_path / "sim", tls=False, words=["--missing-header-forward"])
    try:
        cluster.start()
        assert request(cluster.nodes[1].url + "/v1/sys/health").status == 200, "a standby answers as the leader"
        with Bellwether(tmp_path, [*LOOPBACK, "--mode", "http", *cluster.urls]) as proxy:
            proxy.wait_ready()
            seen = proxy.metrics().sum("bellwether_probes_total")
            wait_until(lambda: proxy.metrics().sum("bellwether_probes_total") >= seen + 9, 30, "nine more probes")
            roles = sorted(node["role"] for node in proxy.status()["nodes"])
            assert roles == ["active", "standby", "standby"]
            assert proxy.metrics().sum("bellwether_contested") == 0
            assert proxy.metrics().sum("bellwether_conflicts_total") == 0
            assert proxy.status()["leader"]["epoch"] == 1
    finally:
        cluster.end()


@forwarding(["--consistency-headers", "--replication-lag", "10s"])
def test_a_demoted_node_that_is_behind_an_index_costs_no_error(cluster, tmp_path):
    with Bellwether(tmp_path, [*LOOPBACK, "--mode", "http", *cluster.urls]) as proxy:
        proxy.wait_ready()
        written = ask(proxy, cluster, "PUT", "/v1/secret/data/k", {"data": {"v": "1"}})
        index = written.headers["x-vault-index"]
        done = threading.Event()
        statuses = []

        def read():
            while not done.is_set():
                statuses.append(ask(proxy, cluster, "GET", "/v1/secret/data/k", index=index).status)

        clients = [threading.Thread(target=read, daemon=True) for _ in range(4)]
        for client in clients:
            client.start()
        old = cluster.leader()
        cluster.step_down(old)
        cluster.wait_for_leader(other_than=old)
        wait_until(lambda: (proxy.status()["leader"] or {}).get("epoch") == 2, 20, "the new leader")
        done.set()
        for client in clients:
            client.join(40)
        assert set(statuses) == {200}
        assert proxy.metrics().sum("bellwether_judged_answers_total", row="index_not_reached") >= 1


@forwarding(["--consistency-headers"])
def test_an_index_that_the_leader_itself_does_not_reach_is_the_clients_to_hear_of(cluster, tmp_path):
    with Bellwether(tmp_path, [*LOOPBACK, "--mode", "http", *cluster.urls]) as proxy:
        proxy.wait_ready()
        answer = ask(proxy, cluster, "GET", "/v1/secret/data/k", index="99")
        assert answer.status == 429
        assert answer.headers["retry-after"] == "1"
        assert proxy.metrics().sum("bellwether_judged_answers_total", row="index_not_reached") == 1
        assert proxy.status()["leader"]["epoch"] == 1
