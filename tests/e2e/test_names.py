"""The names of nodes are asked for again while it runs: their addresses come, go and move."""

import contextlib
import json

import pytest

from house.asking import all_ask_on, clients
from house.bellwether import Bellwether
from house.hosts_file import HostsFile
from house.ports import free_ports
from house.sim_cluster import SimCluster
from house.waiting import wait_until
from house.web import request

HOST = "bao.test"


class Stand:
    """The program before one name, which leads to nodes of a cluster whose addresses differ and whose port does not."""

    def __init__(self, folder, sim, port, places, **options):
        self.sim = sim
        self.name = f"{HOST}:{port}"
        self.hosts = HostsFile(folder, {HOST: [address_of(sim, place) for place in places]})
        self.file = folder / "bellwether.json"
        text = {"listen": "127.0.0.1:0", "mode": "http", "admin": "127.0.0.1:0", "nodes": [f"http://{HOST}:{port}"],
                "dns_refresh": "1s", **options}
        self.file.write_text(json.dumps(text))
        self.proxy = Bellwether(folder, ["-f", self.file, "--control", folder / "control.sock"],
                                wrapper=self.hosts.wrapper())

    def lead(self, *addresses):
        self.hosts.lead({HOST: list(addresses)})

    def lead_to(self, *places, sim=None):
        self.lead(*(address_of(sim or self.sim, place) for place in places))

    def addresses(self):
        """Of the nodes of now, if there are several."""
        return {node["url"].split("://")[1].split(":")[0] for node in self.proxy.status()["nodes"]}

    def wait_for(self, *places, sim=None, timeout=30):
        wanted = {address_of(sim or self.sim, place) for place in places}
        wait_until(lambda: self.addresses() == wanted, timeout, f"the nodes {sorted(wanted)}")

    def lookups(self, result):
        return self.proxy.metrics().sum("bellwether_name_lookups_total", result=result)

    def wait_for_lookups(self, count, result="ok"):
        enough = self.lookups(result) + count
        wait_until(lambda: self.lookups(result) >= enough, 60, f"{count} more lookups")


def address_of(sim, place):
    return sim.nodes[place].url.split("://")[1].split(":")[0]


@contextlib.contextmanager
def cluster(folder, net, port, nodes):
    """Its nodes are at 127.0.NET.1 and so on, at one port."""
    words = ["--nodes", str(nodes), "--node-id-header"]
    for place in range(nodes):
        words += ["--address", f"127.0.{net}.{place + 1}:{port}"]
    with SimCluster.running(folder, tls=False, words=words) as sim:
        yield sim


@pytest.fixture
def port():
    return free_ports(1)[0]


@pytest.fixture
def stand(tmp_path, port):
    """Five nodes, of which the name leads to some."""
    with cluster(tmp_path / "sim", 7, port, 5) as sim:
        made = []

        def make(*places, **options):
            made.append(Stand(tmp_path, sim, port, places, **options))
            made[-1].proxy.wait_ready()
            return made[-1]

        yield make
        for each in made:
            each.proxy.end()
            each.proxy.process.expect_no_sanitizer_report()


def test_a_name_that_grows_from_one_node_to_five_follows_the_lead_to_a_new_one(stand):
    it = stand(0)
    with clients(it.proxy, it.sim, {"kept": 1, "fresh": 0}) as asking:
        all_ask_on(asking)
        it.lead_to(0, 1, 2, 3, 4)
        it.wait_for(0, 1, 2, 3, 4)
        it.sim.step_down(0)
        wait_until(lambda: it.proxy.status()["epoch"] == 2, 20, "another leader")
        all_ask_on(asking)
    assert {client.name: client.errors for client in asking if client.errors} == {}
    assert {told.status for client in asking for told in client.told} == {200}


def test_all_nodes_are_replaced_one_by_one_beside_clients_that_notice_nothing(stand):
    it = stand(0, 1, 2)
    with clients(it.proxy, it.sim, {"kept": 1, "fresh": 0}) as asking:
        all_ask_on(asking)
        # Whoever is left may be elected, so the name always leads to all of these.
        for gone, there in ((0, (1, 2, 3, 4)), (1, (2, 3, 4))):
            if it.sim.leader() == gone:
                it.sim.step_down(gone)
                wait_until(lambda gone=gone: it.sim.leader() not in (None, gone), 20, "another leader")
            it.sim.terminate(gone)
            it.lead_to(*there)
            it.wait_for(*there)
            all_ask_on(asking)
    assert {client.name: client.errors for client in asking if client.errors} == {}
    assert {told.status for client in asking for told in client.told} == {200}


def test_a_name_that_moves_is_followed_though_the_old_leader_still_leads(stand, tmp_path, port):
    it = stand(0, 1, 2)
    with cluster(tmp_path / "other", 8, port, 3) as other:
        for node in other.nodes:
            other.make_foreign(node.index)  # all simulated clusters have one id
        before = it.proxy.status()["cluster_id"]
        with clients(it.proxy, it.sim, {"kept": 1, "fresh": 0}) as asking:
            all_ask_on(asking)
            it.lead_to(0, 1, 2, sim=other)
            it.wait_for(0, 1, 2, sim=other)
            all_ask_on(asking)
        assert {client.name: client.errors for client in asking if client.errors} == {}
        wait_until(lambda: it.proxy.status()["cluster_id"] not in ("", before), 20, "the other cluster's id")
        headers = {"X-Vault-Token": other.token}
        written = request(f"http://{it.proxy.address}/v1/secret/data/here", "POST", {"data": {"a": "b"}}, headers)
        assert written.status in (200, 204), written
        assert (other.writes("here"), it.sim.writes("here")) == (1, 0)
        told = {line.fields["node"].split("/")[1] for line in it.proxy.events("foreign_node")}
        assert told == {address_of(other, place) for place in (0, 1, 2)}
        assert "-node" in it.proxy.events("nodes_changed")[-1].fields["changes"]


def test_a_name_without_an_answer_keeps_its_nodes_and_says_so_once(stand):
    it = stand(0, 1, 2)
    it.wait_for_lookups(1)
    it.hosts.lead({})
    it.wait_for_lookups(2, "failed")
    it.wait_for(0, 1, 2)
    assert it.proxy.metrics().sum("bellwether_names_unanswered") == 1
    assert [line.fields["host"] for line in it.proxy.events("name_unanswered")] == [it.name]
    assert {name["host"]: name["problem"] is None for name in it.proxy.status()["names"]} == {it.name: False}
    it.lead_to(0, 1, 2)
    wait_until(lambda: it.proxy.events("name_answered"), 20, "the log to say that it is answered again")
    assert {name["host"]: name["problem"] for name in it.proxy.status()["names"]} == {it.name: None}
    assert it.proxy.events("nodes_changed") == []


def test_answers_that_take_turns_change_nothing(stand):
    it = stand(0, 1, 2)
    for places in ((0, 1), (1, 2), (0, 2), (0, 1), (1, 2)):
        it.lead_to(*places)
        it.wait_for_lookups(2)
        it.wait_for(0, 1, 2)
    assert it.proxy.events("nodes_changed") == []
    assert it.proxy.status()["epoch"] == 1


def test_an_address_that_stays_away_leaves_though_its_node_answers(stand):
    it = stand(0, 1, 2)
    it.lead_to(0, 1)
    it.wait_for(0, 1, timeout=60)
    assert it.lookups("ok") >= 15
    assert it.proxy.status()["epoch"] == 1


def test_the_name_is_asked_for_at_once_when_its_nodes_have_failed(stand):
    it = stand(0, 1, 2, dns_refresh="1h")
    it.lead_to(1, 2, 3)
    it.sim.terminate(0)
    it.wait_for(1, 2, 3)


def test_the_only_node_of_a_name_that_comes_back_elsewhere_is_the_same_node(stand):
    it = stand(0, dns_refresh="1h")
    assert it.proxy.leader_by_status() is not None
    it.sim.terminate(0)
    wait_until(lambda: it.sim.leader() not in (None, 0), 20, "another leader")
    wait_until(lambda: not it.proxy.status()["nodes"][0]["up"], 20, "the node to be down")
    it.lead_to(it.sim.leader())
    wait_until(lambda: it.proxy.events("node_address_changed"), 30, "the node to be followed")
    wait_until(it.proxy.is_ready, 30, "a leader at the new address")
    assert len(it.proxy.status()["nodes"]) == 1
    assert it.proxy.events("nodes_changed") == []


def test_with_zero_names_are_not_asked_for_again(stand):
    it = stand(0, 1, 2, dns_refresh="0s")
    it.lead_to(0, 1)
    it.sim.step_down(0)
    wait_until(lambda: it.proxy.events("leader_lost"), 20, "the loss of the leader")
    assert it.lookups("ok") == it.lookups("failed") == 0
    assert it.proxy.status()["names"] == []


def test_more_addresses_than_there_may_be_nodes_are_refused_and_said_once(stand):
    it = stand(0)
    it.lead(*(f"127.0.9.{number}" for number in range(1, 200)), address_of(it.sim, 0))
    it.wait_for_lookups(3)
    assert len(it.proxy.status()["nodes"]) == 1
    assert len(it.proxy.events("names_refused")) == 1
