"""The operator's word: node states, pause, resume and repin over the control socket, and nowhere else."""

import os
import signal
import stat
import threading
import time

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


@pytest.fixture(params=["tcp", "http"])
def controlled_mode(request, sim, tmp_path):
    """The same in each mode that moves bytes; a request waits 5 s at most."""
    socket = tmp_path / "control.sock"
    words = ["--mode", request.param, "--control", socket, *sim.urls]
    with Bellwether(tmp_path, [*LOOPBACK, *words], env={"BELLWETHER_CONTROL": ""}) as made:
        yield made.wait_ready(), socket


class Asking:
    """A request through the proxy, on its own thread."""

    def __init__(self, proxy):
        self.answer = None
        self._url = f"http://{proxy.address}/v1/secret/data/none"
        self._thread = threading.Thread(target=self._ask)
        self._thread.start()

    def _ask(self):
        self.answer = request(self._url, timeout=20)

    def wait(self):
        self._thread.join(25)
        return self.answer


def held(proxy):
    return proxy.metrics().sum("bellwether_held_requests")


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


def test_only_the_owner_and_its_group_may_give_orders(controlled):
    _, socket = controlled
    assert stat.S_IMODE(os.stat(socket).st_mode) == 0o660


def test_paused_requests_wait_until_resume(controlled_mode, command):
    proxy, socket = controlled_mode
    done = command("pause", "--control", socket)
    assert done.returncode == 0, done.stderr
    assert "at most 1m" in done.stdout
    assert proxy.status()["state"] == "paused"
    assert proxy.is_ready()
    assert proxy.metrics().sum("bellwether_hold", reason="paused") == 1
    asking = Asking(proxy)
    wait_until(lambda: held(proxy) == 1, 8, "the request to be held")
    assert asking.answer is None
    done = command("resume", "--control", socket)
    assert done.returncode == 0 and "resumed" in done.stdout, done
    assert asking.wait().status < 500
    assert proxy.status()["state"] in ("leading", "idle")
    assert proxy.metrics().sum("bellwether_hold") == 0
    assert [line.level for line in proxy.events("paused") + proxy.events("resumed")] == ["WARN", "WARN"]


def test_a_forgotten_pause_ends_by_itself(controlled, command):
    proxy, socket = controlled
    began = time.monotonic()
    assert command("pause", "--for", "2s", "--control", socket).returncode == 0
    assert 0 < proxy.status()["paused_seconds_left"] <= 2
    assert "bellwether resume" in command("status", "--admin", proxy.admin).stdout
    assert Asking(proxy).wait().status < 500
    assert time.monotonic() - began >= 2
    late = command("resume", "--control", socket)
    assert late.returncode == 0 and "not paused" in late.stdout, late


def test_a_step_down_under_pause_is_seen_by_nobody(controlled_mode, sim, command):
    proxy, socket = controlled_mode
    old = proxy.leader_by_status()
    assert command("pause", "--control", socket).returncode == 0
    asking = Asking(proxy)
    sim.step_down(sim.leader())
    done = command("wait-leader", "20s", "--other-than", old, "--admin", proxy.admin)
    assert done.returncode == 0 and done.stdout.strip() not in ("", old), done
    assert asking.answer is None
    assert command("resume", "--control", socket).returncode == 0
    assert asking.wait().status < 500


def test_a_pause_longer_than_an_hour_is_refused(controlled, command):
    proxy, socket = controlled
    refused = command("pause", "--for", "2h", "--control", socket)
    assert refused.returncode == 1
    assert "at most" in refused.stderr
    assert proxy.status()["state"] != "paused"


def test_the_admin_address_does_not_pause(controlled):
    proxy, _ = controlled
    assert request(proxy.admin + "/pause", method="POST", timeout=5).status == 405
    assert proxy.status()["paused_until"] is None


def test_wait_leader_names_the_leader(controlled, command):
    proxy, _ = controlled
    done = command("wait-leader", "5s", "--admin", proxy.admin)
    assert done.returncode == 0, done
    assert done.stdout.strip() == proxy.leader_by_status()


def test_wait_leader_may_wait_for_another(controlled, command):
    proxy, _ = controlled
    old = proxy.leader_by_status()
    done = command("wait-leader", "300ms", "--other-than", old, "--admin", proxy.admin)
    assert done.returncode == 1
    assert f"{old} leads still" in done.stderr


def test_healthcheck_says_whether_clients_would_be_served(controlled, sim, command):
    proxy, _ = controlled
    fine = command("healthcheck", "--admin", proxy.admin)
    assert (fine.returncode, fine.stdout) == (0, "ready\n"), fine
    for node in sim.nodes:
        sim.kill(node.index)
    wait_until(lambda: proxy.leader_by_status() is None, 20, "no leader")
    done = command("healthcheck", "--admin", proxy.admin)
    assert (done.returncode, done.stderr) == (1, "bellwether healthcheck: none of the 3 nodes answers\n"), done
    assert command("healthcheck", "--live", "--admin", proxy.admin).stdout == "alive\n"


def test_healthcheck_does_not_wait_for_what_hangs(controlled, command):
    proxy, _ = controlled
    os.kill(proxy.pid, signal.SIGSTOP)
    try:
        begun = time.monotonic()
        done = command("healthcheck", "--live", "--timeout", "400ms", "--admin", proxy.admin)
        took = time.monotonic() - begun
    finally:
        os.kill(proxy.pid, signal.SIGCONT)
    assert done.returncode == 1 and proxy.admin.split("//")[1] in done.stderr, done
    assert took < 5
    gone = command("healthcheck", "--admin", "127.0.0.1:1")
    assert gone.returncode == 1 and "127.0.0.1:1" in gone.stderr


def test_wait_leader_gives_up_at_its_timeout(controlled, sim, command):
    proxy, _ = controlled
    for node in sim.nodes:
        sim.kill(node.index)
    wait_until(lambda: proxy.leader_by_status() is None, 20, "no leader")
    done = command("wait-leader", "300ms", "--admin", proxy.admin)
    assert done.returncode == 1
    assert "no node leads" in done.stderr
