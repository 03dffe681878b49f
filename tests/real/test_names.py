"""What names of nodes come to in a rebuilt cluster: SRV records of a real name server, by which each node has its port."""

import json
import time

import pytest

from house.bellwether import Bellwether
from house.name_server import NameServer
from house.sim_cluster import SimCluster
from house.waiting import wait_until
from house.web import request
from real_cluster import RealCluster

SERVICE = "_vault._tcp.test"
TTL = 5  # seconds


@pytest.fixture
def names(tmp_path):
    made = NameServer(tmp_path, ttl=TTL)
    yield made
    made.end()


@pytest.fixture
def other_cluster(cluster, tmp_path):
    """Another cluster beside, whose nodes state another cluster_id."""
    if isinstance(cluster, RealCluster):
        made = RealCluster(cluster.server, tmp_path / "other")
    else:
        made = SimCluster(tmp_path / "other")
    try:
        made.start()
        if isinstance(made, SimCluster):
            for node in made.nodes:
                made.make_foreign(node.index)
        yield made
    finally:
        made.end()


def lead(names, *nodes):
    """The service to these nodes, all at 127.0.0.1."""
    names.lead({"bao.test": ["127.0.0.1"]})
    names.say(*(f"srv-host={SERVICE},bao.test,{node.url.rsplit(':', 1)[1]}" for node in nodes))


@pytest.fixture
def begin(names, tmp_path):
    made = []

    def make(*clusters):
        trusted = tmp_path / "ca.pem"
        trusted.write_text("".join(open(each.tls.ca_file, encoding="ascii").read() for each in clusters))
        file = tmp_path / "bellwether.json"
        file.write_text(json.dumps({"listen": "127.0.0.1:0", "mode": "http", "admin": "127.0.0.1:0",
                                    "nodes": [f"srv+https://{SERVICE}"], "server_name": clusters[0].tls.server_name,
                                    "ca_file": str(trusted), "dns_min_ttl": "1s",
                                    "dns_allow_local": True}))
        made.append(Bellwether(tmp_path, ["-f", file], wrapper=names.wrapper))
        return made[-1].wait_ready()

    yield make
    for each in made:
        each.end()
        each.process.expect_no_sanitizer_report()


def write(proxy, cluster, key):
    return request(f"http://{proxy.address}/v1/secret/data/{key}", "POST", {"data": {"a": "b"}},
                   {"X-Vault-Token": cluster.token}, timeout=40).status


def ports_of(proxy):
    return {node["url"].rsplit(":", 1)[1] for node in proxy.status()["nodes"]}


def wait_for_nodes(proxy, *nodes):
    wanted = {node.url.rsplit(":", 1)[1] for node in nodes}
    wait_until(lambda: ports_of(proxy) == wanted, 30, f"the nodes at {wanted}")


def has(cluster, key):
    """Whether a write of it has reached that cluster."""
    leader = cluster.nodes[cluster.leader()].url
    return request(f"{leader}/v1/secret/data/{key}", headers={"X-Vault-Token": cluster.token},
                   tls=cluster.tls).status == 200


def test_a_name_that_moves_takes_the_writes_along_while_the_old_cluster_still_runs(cluster, other_cluster, names, begin):
    lead(names, *cluster.nodes)
    proxy = begin(cluster, other_cluster)
    assert write(proxy, cluster, "before") in (200, 204)
    lead(names, *other_cluster.nodes)
    told = time.monotonic()
    written = {}  # key: when it was answered
    wanted = {node.url.rsplit(":", 1)[1] for node in other_cluster.nodes}
    while time.monotonic() < told + 30 and ports_of(proxy) != wanted:
        key = f"k{len(written)}"
        write(proxy, cluster, key)
        write(proxy, other_cluster, key)  # whose token it is not refuses it
        written[key] = time.monotonic() - told
    wait_for_nodes(proxy, *other_cluster.nodes)
    proxy.wait_ready()
    in_old = [when for key, when in written.items() if has(cluster, key)]
    print(f"{len(in_old)} writes to the old cluster, the last {max(in_old, default=0):.2f} s after the records had changed; "
          f"the TTL is {TTL} s")
    for number in range(20):
        assert write(proxy, other_cluster, f"late{number}") in (200, 204)
        write(proxy, cluster, f"late{number}")
    assert [number for number in range(20) if has(cluster, f"late{number}")] == []
    assert all(has(other_cluster, f"late{number}") for number in range(20))


def test_a_service_that_grows_from_one_node_to_three_follows_the_lead_to_a_new_one(cluster, names, begin):
    leader = cluster.leader()
    lead(names, cluster.nodes[leader])
    proxy = begin(cluster)
    lead(names, *cluster.nodes)
    wait_for_nodes(proxy, *cluster.nodes)
    cluster.step_down(leader)
    cluster.wait_for_leader(other_than=leader)
    assert write(proxy, cluster, "grown") in (200, 204)
