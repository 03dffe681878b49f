"""Several clusters in one process: each has its own leader, listeners, certificates and operators' orders."""

import contextlib
import itertools
import json
import os
import socket
import subprocess

import pytest

from house.asking import Client, all_ask_on
from house.bellwether import Bellwether, binary
from house.browser import Browser
from house.ports import free_ports
from house.sim_cluster import SimCluster
from house.waiting import wait_until
from house.web import request


class Stand:
    """Two simulated clusters, and the program before them: one listener for each."""

    def __init__(self, folder, sims, mode="http"):
        self.sims = sims
        self.mode = mode
        self.folder = folder
        self.file = folder / "bellwether.json"
        self.socket = folder / "control.sock"
        self.ports = dict(zip(sims, free_ports(len(sims))))
        self.write(*sims)
        self.proxy = Bellwether(folder, ["-f", self.file, "--control", self.socket, "--admin", "127.0.0.1:0"])

    def listener(self, name, served=None):
        return {"address": f"127.0.0.1:{self.ports[name]}", "cluster": served or name, "mode": self.mode}

    def cluster(self, name, sim=None, **options):
        return {"name": name, "nodes": [{"url": node.url, "name": node.name} for node in (sim or self.sims[name]).nodes],
                **options}

    def write(self, *names, **options):
        self.write_text([self.cluster(name) for name in names], [self.listener(name) for name in names], **options)

    def write_text(self, clusters, listen, **options):
        self.file.write_text(json.dumps({"clusters": clusters, "listen": listen, **options}, indent=1))

    def command(self, name, *words, code=0):
        done = subprocess.run([binary(), name, *words], capture_output=True, text=True, timeout=60, check=False,
                              env={**os.environ, "BELLWETHER_ADMIN": self.proxy.admin.removeprefix("http://"),
                                   "BELLWETHER_CONTROL": str(self.socket)})
        assert done.returncode == code, done
        return done.stdout + done.stderr

    def address(self, name):
        return f"127.0.0.1:{self.ports[name]}"

    def send(self, name, key):
        sim = self.sims[name]
        return request(f"http://{self.address(name)}/v1/secret/data/{key}", "POST", {"data": {"a": "b"}},
                       {"X-Vault-Token": sim.token}, timeout=30)

    def names(self):
        status = self.proxy.status()
        return [each["cluster"] for each in status.get("clusters", [status])]

    def status(self, name):
        return self.proxy.get(f"/clusters/{name}/status").json()

    def wait_all_lead(self):
        wait_until(lambda: all(each["leader"] for each in self.proxy.status()["clusters"]), 30, "a leader in each cluster")

    @contextlib.contextmanager
    def asking(self, *names):
        """Two clients of each of these clusters, one with a connection that it keeps."""
        numbers = itertools.count(1)
        made = {name: [Client(f"{name}{keeps}", self.address(name), self.sims[name].token, f"127.0.1.{next(numbers)}", keeps)
                       for keeps in (1, 0)] for name in names}
        everybody = [client for clients in made.values() for client in clients]
        for client in everybody:
            client.start()
        try:
            yield made
        finally:
            for client in everybody:
                client.finish.set()
            for client in everybody:
                client.join(60)


def expect_only_answers(clients):
    for client in clients:
        assert client.errors == [] and {told.status for told in client.told} == {200}, client.errors


@pytest.fixture
def sims(tmp_path):
    with contextlib.ExitStack() as ended:
        yield {name: ended.enter_context(SimCluster.running(tmp_path / name, tls=False)) for name in ("east", "west")}


@pytest.fixture
def begin(tmp_path, sims):
    made = []

    def make(mode="http"):
        made.append(Stand(tmp_path, sims, mode))
        made[-1].wait_all_lead()
        return made[-1]

    yield make
    for each in made:
        each.proxy.end()
        each.proxy.process.expect_no_sanitizer_report()


@pytest.mark.parametrize("mode", ["http", "tcp", "redirect"])
def test_each_listener_leads_to_its_own_cluster(begin, mode):
    it = begin(mode)
    for name, other in (("east", "west"), ("west", "east")):
        answer = it.send(name, f"of-{name}")
        if mode == "redirect":
            place = it.sims[name].nodes[it.sims[name].leader()].url
            assert answer.status == 307 and answer.headers["location"].startswith(place), answer
            continue
        assert answer.status in (200, 204), answer
        assert (it.sims[name].writes(f"of-{name}"), it.sims[other].writes(f"of-{name}")) == (1, 0)


def test_a_cluster_without_a_leader_takes_nothing_from_the_other(begin):
    it = begin()
    with it.asking("west") as made:
        all_ask_on(made["west"])
        for node in it.sims["east"].nodes:
            it.sims["east"].kill(node.index)
        wait_until(lambda: it.status("east")["leader"] is None, 30, "east to be without a leader")
        all_ask_on(made["west"], 100)
        assert it.proxy.get("/readyz").status == 200 and it.proxy.get("/clusters/west/readyz").status == 200
        assert it.proxy.get("/clusters/east/readyz").status == 503
        it.sims["east"].heal()
        it.wait_all_lead()
    expect_only_answers(made["west"])
    metrics = it.proxy.metrics()
    assert metrics.sum("bellwether_leader_epoch", cluster="west") == 1
    assert metrics.sum("bellwether_leader_epoch", cluster="east") >= 2
    assert {labels.get("cluster") for labels, _ in metrics.all("bellwether_node_up")} == {"east", "west"}
    assert [labels for labels, _ in metrics.all("bellwether_config_last_reload_successful")] == [{}]
    assert {line.fields["cluster"] for line in it.proxy.events("leader_changed")} == {"east", "west"}
    assert {line.fields["cluster"] for line in it.proxy.events("leader_lost")} == {"east"}


def test_orders_and_reports_are_about_the_cluster_that_is_named(begin):
    it = begin()
    said = it.command("status")
    assert "cluster east" in said and "cluster west" in said, said
    assert "say which" in it.command("pause", code=1)
    it.command("pause", "--cluster", "east")
    held = {name: it.status(name)["paused_until"] is not None for name in ("east", "west")}
    assert held == {"east": True, "west": False}, held
    it.command("resume", "--cluster", "east")
    standby = next(node.name for node in it.sims["west"].nodes if node.index != it.sims["west"].leader())
    it.command("node", "--cluster", "west", standby, "drain")
    states = {name: {node["name"]: node["admin"] for node in it.status(name)["nodes"]} for name in ("east", "west")}
    assert states["west"][standby] == "drain" and set(states["east"].values()) == {"ready"}, states
    assert "east" in it.command("node", "--cluster", "eats", "n1", "drain", code=1)
    it.command("wait-leader", "--cluster", "west")
    it.command("wait-leader")
    it.command("healthcheck")


@pytest.mark.slow
def test_the_page_has_a_tab_for_each_cluster(begin, tmp_path):
    it = begin()
    marks = "return Object.fromEntries([...document.querySelectorAll('nav a')].map(a => [a.dataset.cluster, a.dataset.state]))"
    with Browser(tmp_path) as browser:
        browser.open(it.proxy.admin + "/")
        wait_until(lambda: set(browser.run(marks)) == {"east", "west"}, 20, "the tabs")
        browser.run("document.querySelector('nav a[data-cluster=west]').click()")
        wait_until(lambda: browser.run("return location.pathname") == "/clusters/west/", 20, "the page of west")
        for node in it.sims["east"].nodes:
            it.sims["east"].kill(node.index)
        wait_until(lambda: browser.run(marks)["east"] == "no_leader", 30, "the tab to say that east has no leader")
        assert it.sims["west"].nodes[it.sims["west"].leader()].url.split("//")[1] in browser.text()
        assert it.sims["east"].nodes[0].url.split("//")[1] not in browser.text()


@pytest.mark.parametrize("mode", ["http", "tcp"])
def test_clusters_come_and_go_beside_clients_that_notice_nothing(begin, mode):
    it = begin(mode)
    it.write("east")
    assert "-cluster west" in it.command("reload")
    assert it.names() == ["east"]
    with pytest.raises(OSError):
        it.send("west", "late")
    with it.asking("east") as made:
        all_ask_on(made["east"])
        it.write("west", "east")
        assert "+cluster west" in it.command("reload")
        it.wait_all_lead()
        assert it.names() == ["west", "east"]
        assert it.send("west", "again").status in (200, 204)
        all_ask_on(made["east"])
        it.write("west", "east", inter="700ms")
        said = it.command("reload")
        assert "east: inter" in said and "west: inter" in said, said
        all_ask_on(made["east"])
    expect_only_answers(made["east"])
    assert len({told.port for client in made["east"] if client.keeps for told in client.told}) == 1


def test_a_listener_goes_over_to_another_cluster_without_a_refused_connection(begin):
    it = begin()
    with it.asking("east") as made:
        all_ask_on(made["east"])
        it.write_text([it.cluster("east"), it.cluster("west")], [it.listener("east", "west"), it.listener("west", "east")])
        it.command("reload")
        all_ask_on(made["east"])
    expect_only_answers(made["east"])
    assert it.send("east", "moved").status in (200, 204)
    assert (it.sims["east"].writes("moved"), it.sims["west"].writes("moved")) == (0, 1)


def test_a_renamed_cluster_is_another_one_at_the_same_address(begin):
    it = begin()
    with it.asking("west") as made:
        all_ask_on(made["west"])
        it.write_text([it.cluster("east"), it.cluster("north", it.sims["west"])],
                      [it.listener("east"), it.listener("west", "north")])
        said = it.command("reload")
        assert "+cluster north" in said and "-cluster west" in said, said
        all_ask_on(made["west"])
    expect_only_answers(made["west"])
    assert it.proxy.get("/clusters/west/status").status == 404


def test_what_one_cluster_cannot_use_changes_none(begin):
    it = begin()
    taken = free_ports(1)[0]
    with contextlib.closing(socket.create_server(("127.0.0.1", taken))):
        it.write_text([it.cluster("east", inter="300ms"), it.cluster("west")],
                      [it.listener("east"), it.listener("west"), {"address": f"127.0.0.1:{taken}", "cluster": "west"}])
        said = it.command("reload", code=1)
        assert "cluster west" in said and str(taken) in said, said
    it.write_text([it.cluster("east", inter="300ms"), it.cluster("west", ca_file="/nowhere.pem", inter="400ms"),
                   {"name": "north", "nodes": ["https://127.0.0.1:1"], "ca_file": "/none.pem"}],
                  [it.listener("east"), it.listener("west"), {"address": "127.0.0.1:0", "cluster": "north"}])
    said = it.command("reload", code=1)
    assert "cluster north" in said and "/none.pem" in said, said
    it.write("east", "west")
    assert "nothing has changed" in it.command("reload")
    assert it.send("west", "still").status in (200, 204)


def test_an_upgrade_hands_over_the_listeners_of_all_clusters(begin):
    it = begin()
    with it.asking("east", "west") as made:
        all_ask_on([*made["east"], *made["west"]])
        it.command("upgrade")
        wait_until(lambda: len(it.proxy.events("upgraded")) == 1, 30, "the upgrade")
        all_ask_on([*made["east"], *made["west"]])
    expect_only_answers([*made["east"], *made["west"]])


def test_the_end_waits_for_the_clients_of_each_cluster(begin):
    it = begin()
    with it.asking("east", "west") as made:
        all_ask_on([*made["east"], *made["west"]])
        for client in (*made["east"], *made["west"]):
            client.finish.set()
        for client in (*made["east"], *made["west"]):
            client.join(60)
        assert it.proxy.end() == 0
    assert [line.fields["why"] for line in it.proxy.events("ending")] == ["idle"]
    expect_only_answers([*made["east"], *made["west"]])
