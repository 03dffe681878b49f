"""packaging/RUNBOOK.md is executed, section by section, while clients work: it cannot rot, and they must not notice."""

import json
import threading
import time

import pytest

from house import runbook
from house.runbook_stand import NAMES, Client, Stand
from house.waiting import wait_until
from house.web import connection, request, send


class SimStand(Stand):
    """Its nodes come back sealed, as those whose key people hold."""

    def __init__(self, folder, sim):
        self.sim = sim
        super().__init__(folder, sim)

    def stop_node(self, index):
        self.sim.heal_node(index)
        self.sim.terminate(index)

    def start_node(self, index):
        self.sim.restart(index)
        wait_until(lambda: self.sim.health(index), 20, f"{NAMES[index]} to answer")
        self.sim.seal_without_asking(index)

    def unseal(self, index):
        self.sim.recover_from_seal(index)
        return "Unseal Key (will be hidden): \nKey    Value\nSealed false\n"

    # what the sections begin with

    def let_vault3_claim_too(self):
        while self.sim.leader() == 2:
            self.sim.step_down(2)
            self.sim.wait_for_leader(other_than=2)
        wait_until(lambda: self.proxy.leader_by_status() == NAMES[self.sim.leader()], 20, "the leader to be followed")
        self.sim.pretend_to_lead(2)
        wait_until(lambda: self.proxy.status()["conflict"] == "vault3", 20, "the conflict to be seen")

    def rename_and_remove(self):
        """A standby is removed, and the leader gets another name."""
        leader = self.sim.leader()
        config = json.loads(self.config_file.read_text(encoding="utf-8"))
        config["nodes"][leader]["name"] = "the-leader"
        del config["nodes"][(leader + 1) % 3]
        self.config_file.write_text(json.dumps(config), encoding="utf-8")
        self.names_then = [node["name"] for node in config["nodes"]]

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
    with SimStand(tmp_path, sim) as made:
        yield made


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


def test_every_section_is_executed_here():
    tested = {"Look first", "Upgrade the cluster: standbys first, the leader last", "Step down without a pause",
              "Add, replace or remove a node", "Upgrade Bellwether", "Two nodes claim to lead", "No leader: lost quorum",
              "Restored or initialised anew: another cluster_id", "A pause that was forgotten"}
    assert set(runbook.sections()) == tested


def test_what_is_expected_is_looked_for():
    assert runbook.matches("a ... c\n...\nd\n", "a  b   c\nx\ny\nd\n")
    assert not runbook.matches("a ... c\nd\n", "a b c\nx\nd\n")
    assert not runbook.matches("a\n", "b\n")


@pytest.mark.parametrize("heading", ["Look first", "A pause that was forgotten"])
def test_who_only_looks_changes_nothing(stand, clients, heading):
    assert len(stand.execute(heading)) == 1


def test_a_rolling_upgrade_is_seen_by_no_client(stand, clients):
    failovers = stand.execute("Upgrade the cluster: standbys first, the leader last")
    planned = [each for each in failovers if each["cause"] != "start"]
    assert len(planned) == 1 and planned[0]["failed"] == 0 and planned[0]["cut"] == 0, failovers
    assert stand.proxy.events("paused") and stand.proxy.events("resumed")
    assert [node["admin"] for node in stand.proxy.status()["nodes"]] == ["ready"] * 3


def test_a_step_down_without_pause_is_seen_by_no_client(stand, clients):
    failovers = stand.execute("Step down without a pause")
    assert failovers[0]["from"] != failovers[0]["to"] and failovers[0]["failed"] == 0, failovers


def test_a_conflict_is_ended_without_any_client_noticing(stand, clients):
    stand.let_vault3_claim_too()
    stand.execute("Two nodes claim to lead")
    assert stand.proxy.status()["conflict"] is None


def test_a_lost_quorum_is_brought_back(stand):
    stand.lose_quorum()
    stand.execute("No leader: lost quorum")
    assert request(stand.url + "/v1/secret/data/none", headers={"X-Vault-Token": stand.sim.token}).status == 404


def test_a_restored_cluster_is_followed_after_repin(stand):
    before = stand.proxy.status()["cluster_id"]
    stand.restore_another_cluster()
    stand.execute("Restored or initialised anew: another cluster_id")
    assert stand.proxy.status()["cluster_id"] not in ("", before)


def test_nodes_are_changed_and_no_client_notices(stand, clients):
    stand.rename_and_remove()
    stand.execute("Add, replace or remove a node")
    assert [node["name"] for node in stand.proxy.status()["nodes"]] == stand.names_then
    assert stand.proxy.status()["epoch"] == 1


def test_bellwether_is_upgraded_and_what_runs_is_finished(stand, clients):
    old = stand.proxy
    conn = connection(stand.url, timeout=60)
    stand.sim.step_down(stand.sim.leader())  # so that a request is under way when its successor comes
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(
        send(conn, "GET", "/v1/secret/data/none", None, {"X-Vault-Token": stand.sim.token}).status))
    waiting.start()
    wait_until(lambda: old.metrics().sum("bellwether_held_requests") == 1 or answers, 20, "a request that waits")
    began = time.monotonic()
    stand.execute("Upgrade Bellwether")
    waiting.join()
    conn.close()
    assert answers == [404]
    assert old.process.wait(40) == 0 and len(old.successors()) == 1
    assert time.monotonic() - began < 40
    assert old.is_ready(), "nobody is at the admin address"
