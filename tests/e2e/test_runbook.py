"""packaging/RUNBOOK.md is executed, section by section, while clients work: it cannot rot, and they must not notice."""

import json
import threading
import time

import pytest

from house import runbook
from house.bellwether import Bellwether
from house.ports import free_ports
from house.waiting import wait_until
from house.web import connection, request, send

NAMES = ["vault1", "vault2", "vault3"]


class Client:
    """Writes and reads back on a kept connection, one request at a time, until it is told to stop."""

    def __init__(self, name, url, token):
        self.name, self.done, self.failures = name, 0, []
        self._url, self._token = url, token
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def stop(self):
        self._stop.set()
        self._thread.join()

    def _work(self):
        conn = None
        while not self._stop.wait(0.005):
            try:
                conn = conn or connection(self._url, timeout=60)
                self._write_and_read(conn)
                self.done += 1
            except (OSError, AssertionError) as error:
                self.failures.append(repr(error))
                conn = None
        if conn is not None:
            conn.close()

    def _write_and_read(self, conn):
        path, headers = f"/v1/secret/data/{self.name}", {"X-Vault-Token": self._token}
        wrote = send(conn, "PUT", path, {"data": {"n": self.done}}, headers)
        assert wrote.status == 200, wrote
        read = send(conn, "GET", path, None, headers)
        assert read.status == 200 and read.json()["data"]["data"]["n"] == self.done, read


class Stand:
    """Three pretended machines, Bellwether before them in http mode, and the commands of the page."""

    def __init__(self, folder, sim):
        self.folder, self.sim = folder, sim
        self._listen, self._admin = (f"127.0.0.1:{port}" for port in free_ports(2))
        self.url = f"http://{self._listen}"
        nodes = [{"name": name, "url": url} for name, url in zip(NAMES, sim.urls)]
        self._config = folder / "bellwether.json"
        self._config.write_text(json.dumps({"listen": self._listen, "admin": self._admin, "mode": "http",
                                            "control": str(folder / "control.sock"), "nodes": nodes}), encoding="utf-8")
        self.proxies = []
        self._start_bellwether()
        node, openbao = f"({'|'.join(NAMES)})", "openbao"
        self.desk = runbook.Desk(folder / "bin", [
            (f"ssh {node} systemctl stop {openbao}", lambda name: self._stop_node(name)),
            (f"ssh {node} systemctl start {openbao}", lambda name: self._start_node(name)),
            (f"ssh {node} systemctl restart {openbao}", lambda name: self._stop_node(name) or self._start_node(name)),
            (f"ssh {node} apt-get install -y --only-upgrade {openbao}", lambda name: None),
            ("bao operator unseal", self._unseal),
            ("bao operator step-down", self._step_down),
            ("apt-get install -y --only-upgrade bellwether", lambda: None),
            ("systemctl restart bellwether", self._restart_bellwether),
        ], {"BELLWETHER_ADMIN": self._admin, "BELLWETHER_CONTROL": str(folder / "control.sock")})

    def close(self):
        self.desk.close()
        for proxy in self.proxies:
            proxy.end()
            proxy.process.expect_no_sanitizer_report()

    @property
    def proxy(self):
        return self.proxies[-1]

    def _start_bellwether(self):
        made = Bellwether(self.folder, ["-f", self._config], env={"BELLWETHER_CONTROL": ""},
                          name=f"bellwether{len(self.proxies)}")
        self.proxies.append(made)
        made.wait_ready()

    def _restart_bellwether(self):
        self.proxy.process.terminate()
        assert self.proxy.process.wait(40) == 0, self.proxy.log()
        self._start_bellwether()

    def _stop_node(self, name):
        self.sim.heal_node(NAMES.index(name))
        self.sim.terminate(NAMES.index(name))

    def _start_node(self, name):
        """It comes back sealed, as one whose key people hold."""
        index = NAMES.index(name)
        self.sim.restart(index)
        wait_until(lambda: self.sim.health(index), 20, f"{name} to answer")
        self.sim.seal_without_asking(index)

    def _unseal(self, address):
        self.sim.recover_from_seal(self._index(address))
        return "Unseal Key (will be hidden): \nKey    Value\nSealed false\n"

    def _step_down(self, address):
        self.sim.step_down(self._index(address))
        return f"Success! Stepped down: {address}\n"

    @staticmethod
    def _index(address):
        assert address.startswith("https://") and address.endswith(":8200"), address
        return NAMES.index(address[len("https://"):-len(":8200")])

    # what the sections begin with

    def let_vault3_claim_too(self):
        while self.sim.leader() == 2:
            self.sim.step_down(2)
            self.sim.wait_for_leader(other_than=2)
        wait_until(lambda: self.proxy.leader_by_status() == NAMES[self.sim.leader()], 20, "the leader to be followed")
        self.sim.pretend_to_lead(2)
        wait_until(lambda: self.proxy.status()["conflict"] == "vault3", 20, "the conflict to be seen")

    def lose_quorum(self):
        for index in (1, 2):
            self.sim.terminate(index)
        wait_until(lambda: self.proxy.leader_by_status() is None, 20, "no leader")

    def restore_another_cluster(self):
        for node in self.sim.nodes:
            self.sim.make_foreign(node.index)
        wait_until(lambda: self.proxy.leader_by_status() is None, 20, "no node of ours")


@pytest.fixture
def stand(sim, tmp_path):
    made = Stand(tmp_path, sim)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def clients(stand):
    """Whoever asks for them asks that none of them noticed anything."""
    made = [Client(f"client{i}", stand.url, stand.sim.token) for i in range(4)]
    try:
        yield made
        wait_until(lambda: all(each.done > 20 or each.failures for each in made), 30, "each client to have worked")
    finally:
        for each in made:
            each.stop()
    assert [each.failures for each in made] == [[]] * len(made)


def execute(stand, heading):
    blocks = runbook.sections()[heading]
    for (commands, expected), got in zip(blocks, stand.desk.execute(blocks), strict=True):
        assert expected is None or runbook.matches(expected, got), f"{commands}\nsaid\n{got}\ninstead of\n{expected}"
    return stand.proxy.get("/failovers").json()["failovers"]


def test_every_section_is_executed_here():
    tested = {"Look first", "Upgrade the cluster: standbys first, the leader last", "Step down without a pause",
              "Upgrade Bellwether", "Two nodes claim to lead", "No leader: lost quorum",
              "Restored or initialised anew: another cluster_id", "A pause that was forgotten"}
    assert set(runbook.sections()) == tested


def test_what_is_expected_is_looked_for():
    assert runbook.matches("a ... c\n...\nd\n", "a  b   c\nx\ny\nd\n")
    assert not runbook.matches("a ... c\nd\n", "a b c\nx\nd\n")
    assert not runbook.matches("a\n", "b\n")


@pytest.mark.parametrize("heading", ["Look first", "A pause that was forgotten"])
def test_who_only_looks_changes_nothing(stand, clients, heading):
    assert len(execute(stand, heading)) == 1


def test_a_rolling_upgrade_is_seen_by_no_client(stand, clients):
    failovers = execute(stand, "Upgrade the cluster: standbys first, the leader last")
    planned = [each for each in failovers if each["cause"] != "start"]
    assert len(planned) == 1 and planned[0]["failed"] == 0 and planned[0]["cut"] == 0, failovers
    assert stand.proxy.events("paused") and stand.proxy.events("resumed")
    assert [node["admin"] for node in stand.proxy.status()["nodes"]] == ["ready"] * 3


def test_a_step_down_without_pause_is_seen_by_no_client(stand, clients):
    failovers = execute(stand, "Step down without a pause")
    assert failovers[0]["from"] != failovers[0]["to"] and failovers[0]["failed"] == 0, failovers


def test_a_conflict_is_ended_without_any_client_noticing(stand, clients):
    stand.let_vault3_claim_too()
    execute(stand, "Two nodes claim to lead")
    assert stand.proxy.status()["conflict"] is None


def test_a_lost_quorum_is_brought_back(stand):
    stand.lose_quorum()
    execute(stand, "No leader: lost quorum")
    assert request(stand.url + "/v1/secret/data/none", headers={"X-Vault-Token": stand.sim.token}).status == 404


def test_a_restored_cluster_is_followed_after_repin(stand):
    before = stand.proxy.status()["cluster_id"]
    stand.restore_another_cluster()
    execute(stand, "Restored or initialised anew: another cluster_id")
    assert stand.proxy.status()["cluster_id"] not in ("", before)


def test_bellwether_is_upgraded_and_what_runs_is_finished(stand):
    old = stand.proxy
    conn = connection(stand.url, timeout=60)
    stand.sim.step_down(stand.sim.leader())  # so that a request is under way when TERM comes
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(
        send(conn, "GET", "/v1/secret/data/none", None, {"X-Vault-Token": stand.sim.token}).status))
    waiting.start()
    wait_until(lambda: old.metrics().sum("bellwether_held_requests") == 1 or answers, 20, "a request that waits")
    began = time.monotonic()
    execute(stand, "Upgrade Bellwether")
    waiting.join()
    conn.close()
    assert answers == [404]
    assert stand.proxy is not old and old.process.exit_code() == 0
    assert time.monotonic() - began < 40
