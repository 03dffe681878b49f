"""The operator's word: node states and repin over the control socket, and nowhere else."""

import pytest

from house.bellwether import LOOPBACK, Bellwether
from house.waiting import wait_until
from house.web import request


@pytest.fixture
def controlled(sim, tmp_path):
    """A proxy with a control socket, and that socket."""
    socket = tmp_path / "control.sock"
    with Bellwether(tmp_path, [*LOOPBACK, "--control", socket, *sim.urls], env={"BELLWETHER_CONTROL": ""}) as made:
        yield made.wait_ready(), socket


def admin_state(proxy, name):
    return next(node["admin"] for node in proxy.status()["nodes"] if node["name"] == name)


def test_a_standby_is_taken_out_and_back(controlled, command):
    proxy, socket = controlled
    leader = proxy.leader_by_status()
    standby = next(node["name"] for node in proxy.status()["nodes"] if node["name"] != leader)
    done = command("node", standby, "maint", "--control", socket)
    assert done.returncode == 0, done.stderr
    assert admin_state(proxy, standby) == "maint"
    assert proxy.metrics().sum("bellwether_node_admin_state", node=standby, state="maint") == 1
    assert command("node", standby, "ready", "--control", socket).returncode == 0
    assert admin_state(proxy, standby) == "ready"
    assert proxy.leader_by_status() == leader


def test_the_only_leader_is_not_taken_out_without_force(controlled, command):
    proxy, socket = controlled
    leader = proxy.leader_by_status()
    refused = command("node", leader, "drain", "--control", socket)
    assert refused.returncode == 1
    assert "--force" in refused.stderr
    assert proxy.leader_by_status() == leader

    forced = command("node", leader, "drain", "--force", "--control", socket)
    assert forced.returncode == 0, forced.stderr
    wait_until(lambda: proxy.get("/readyz").status == 503, 10, "nobody to lead")
    assert command("node", leader, "ready", "--control", socket).returncode == 0
    wait_until(proxy.is_ready, 10, "the leader to be followed again")


def test_a_node_that_is_not_there_is_named(controlled, command):
    _, socket = controlled
    refused = command("node", "n9", "maint", "--control", socket)
    assert refused.returncode == 1
    assert "n9" in refused.stderr


def test_repin_learns_the_cluster_anew(controlled, command):
    proxy, socket = controlled
    before = proxy.status()["cluster_id"]
    done = command("repin", "--control", socket)
    assert done.returncode == 0, done.stderr
    wait_until(lambda: proxy.status()["cluster_id"] == before, 10, "the same id to be learned again")
    assert proxy.is_ready()


def test_without_a_running_bellwether_the_error_says_where_it_looked(command, tmp_path):
    lonely = command("node", "n1", "maint", "--control", tmp_path / "nobody.sock")
    assert lonely.returncode == 1
    assert "nobody.sock" in lonely.stderr


def test_the_admin_address_changes_nothing(controlled):
    proxy, _ = controlled
    leader = proxy.leader_by_status()
    assert request(f"{proxy.admin}/node/{leader}/maint?force=1", method="POST", timeout=5).status in (404, 405)
    assert admin_state(proxy, leader) == "ready"


def test_wait_leader_names_the_leader(controlled, command):
    proxy, _ = controlled
    done = command("wait-leader", "5s", "--admin", proxy.admin)
    assert done.returncode == 0, done
    assert done.stdout.strip() == proxy.leader_by_status()


def test_wait_leader_gives_up_at_its_timeout(controlled, sim, command):
    proxy, _ = controlled
    for node in sim.nodes:
        sim.kill(node.index)
    wait_until(lambda: proxy.leader_by_status() is None, 20, "no leader")
    done = command("wait-leader", "300ms", "--admin", proxy.admin)
    assert done.returncode == 1
    assert "no node leads" in done.stderr
