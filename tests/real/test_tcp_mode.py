"""Clients that only know Bellwether's address reach whoever leads, through every fault, with nothing restarted."""

import socket
import time

import pytest

from house.waiting import wait_until
from scenario import agreed_leader, node_name

# A real election after a crash takes 2 to 5 s at multiplier 1, seldom more; one that failed is run again.
ELECTION = 60


def wait_until_all_agree(proxy, cluster, timeout=30):
    """The status page, the metrics and the log name the node that leads the cluster."""
    wait_until(lambda: cluster.leader() is not None and agreed_leader(proxy) == node_name(cluster, cluster.leader()),
               timeout, "status, metrics and log to name the leader", every=0.1)


def test_the_api_writes_and_reads(api):
    api.put("by-api", "1")
    assert api.get("by-api") == "1"


def test_hvac_writes_and_reads(hvac_client):
    hvac_client.put("by-hvac", "2")
    assert hvac_client.get("by-hvac") == "2"


def test_the_command_line_writes_and_reads(cli):
    cli.put("by-cli", "3")
    assert cli.get("by-cli") == "3"


@pytest.mark.parametrize("fault", ["step_down", "kill", "seal", "terminate", "freeze"])
def test_clients_reach_the_new_leader_after(fault, cluster, proxy, api, hvac_client):
    old = cluster.leader()
    epochs = proxy.metrics().sum("bellwether_leader_epoch")
    api.put(f"before-{fault}", "kept")

    getattr(cluster, fault)(old)
    wait_until(lambda: _write(api, f"after-{fault}"), ELECTION, f"a write through bellwether after {fault}")

    new = cluster.leader()
    assert new is not None and new != old
    wait_until_all_agree(proxy, cluster)
    assert api.get(f"before-{fault}") == "kept"
    wait_until(lambda: _read(hvac_client, f"after-{fault}") == "written", 10, "hvac to read through bellwether")
    assert proxy.metrics().sum("bellwether_leader_epoch") > epochs

    cluster.heal()
    wait_until_all_agree(proxy, cluster)
    api.put(f"healed-{fault}", "written")


def _write(client, name):
    client.put(name, "written")
    return True


def _read(client, name):
    return client.get(name)


def test_a_request_during_a_step_down_needs_no_second_attempt(cluster, proxy, api):
    old = cluster.leader()
    cluster.step_down(old)
    wait_until(lambda: proxy.leader_by_status() != node_name(cluster, old), 10, "the old leader to be given up")
    api.put("held", "written")
    assert cluster.wait_for_leader(other_than=old) != old


def test_a_write_by_the_command_line_after_a_crash(cluster, proxy, cli):
    cluster.kill(cluster.leader())
    wait_until(lambda: _write(cli, "cli-after-kill"), ELECTION, "the command line to write after the crash")
    assert cli.get("cli-after-kill") == "written"


def test_a_restarted_follower_changes_nothing(cluster, proxy, api):
    leader = cluster.leader()
    changes = proxy.metrics().sum("bellwether_leader_changes_total")
    follower = (leader + 1) % len(cluster.nodes)
    cluster.kill(follower)
    api.put("follower-gone", "written")
    cluster.restart(follower)
    api.put("follower-back", "written")
    assert cluster.leader() == leader
    assert proxy.metrics().sum("bellwether_leader_changes_total") == changes


def test_two_of_three_nodes_dead_is_said_clearly_and_ends_when_one_is_back(cluster, proxy, api):
    leader = cluster.leader()
    others = [node.index for node in cluster.nodes if node.index != leader]
    cluster.kill(leader)
    cluster.kill(others[0])

    wait_until(lambda: proxy.get("/readyz").status == 503, 20, "bellwether to be not ready")
    wait_until(lambda: proxy.leader_by_status() is None, 20, "/status to name no leader")
    assert proxy.leader_by_metrics() is None
    wait_until(lambda: proxy.leader_by_log() is None, 5, "the log to say that the leader is lost")
    assert proxy.status()["hold"]["reason"] not in ("", "none"), proxy.status()
    assert proxy.get("/leader").status == 503
    assert_a_connection_is_held(proxy)
    assert proxy.metrics().sum("bellwether_leader_info") == 0

    cluster.restart(others[0])
    cluster.restart(leader)
    wait_until(lambda: _write(api, "quorum-back"), ELECTION, "a write after the quorum came back")
    wait_until_all_agree(proxy, cluster)
    assert proxy.is_ready()


def assert_a_connection_is_held(proxy):
    """Neither refused nor closed at once: it waits, unsent, for a leader. Then the client goes away."""
    host, port = proxy.address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=5) as client:
        wait_until(lambda: proxy.metrics().sum("bellwether_held_requests") >= 1, 5, "the connection to be counted as held")
        client.settimeout(0.3)
        begun = time.monotonic()
        with pytest.raises(TimeoutError):
            client.recv(1)
        assert time.monotonic() - begun >= 0.3
    wait_until(lambda: proxy.metrics().sum("bellwether_held_requests") == 0, 5, "the gone client to leave the queue")
