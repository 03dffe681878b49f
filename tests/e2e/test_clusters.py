"""Several clusters in one process: each has its own leader, listeners, certificates and operators' orders."""

import contextlib
import itertools
import json
import os
import signal
import socket
import subprocess
import threading
import time

import pytest

from house.asking import Client, all_ask_on, running
from house.bellwether import Bellwether, binary
from house.browser import Browser
from house.certificates import Certificates
from house.hosts_file import HostsFile
from house.name_server import SilentNameServer
from house.ports import free_ports
from house.sim_cluster import SimCluster
from house.waiting import wait_until
from house.web import request


class Stand:
    """Two simulated clusters, and the program before them: one listener for each."""

    def __init__(self, folder, sims, mode="http", write=True):
        """`write`: the file names them all."""
        self.sims = sims
        self.mode = mode
        self.folder = folder
        self.file = folder / "bellwether.json"
        self.socket = folder / "control.sock"
        self.ports = dict(zip(sims, free_ports(len(sims))))
        self.proxy = None
        if write:
            self.write(*sims)

    def run(self, wrapper=()):
        self.proxy = Bellwether(self.folder, ["-f", self.file, "--control", self.socket, "--admin", "127.0.0.1:0"],
                                wrapper=wrapper)
        return self.proxy

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
        with running(everybody):
            yield made


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
        made[-1].run()
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


def refused_for_a_taken_port(it, clusters, listen):
    """A reload that all clusters but the last one could use."""
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        it.write_text([*clusters, {"name": "zz", "nodes": ["http://127.0.0.1:1"]}], [*listen, {"address": address, "cluster": "zz"}])
        assert "nothing was changed" in it.command("reload", code=1)


def test_a_refused_reload_changes_no_trust_in_nodes(tmp_path):
    with SimCluster.running(tmp_path / "east") as east, SimCluster.running(tmp_path / "west", tls=False) as west:
        it = Stand(tmp_path, {"east": east, "west": west}, write=False)
        listen = [it.listener("east"), it.listener("west")]
        trust = {"ca_file": str(east.tls.ca_file), "server_name": east.tls.server_name}
        it.write_text([it.cluster("east", **trust), it.cluster("west")], listen)
        with it.run() as proxy:
            it.wait_all_lead()
            assert it.send("east", "before").status in (200, 204)
            other = {**trust, "ca_file": str(Certificates(tmp_path / "stranger").ca_file)}
            refused_for_a_taken_port(it, [it.cluster("east", **other), it.cluster("west")], listen)
            assert it.send("east", "after").status in (200, 204)
            assert proxy.events("config_refused")


def test_a_refused_reload_takes_no_client_from_a_listener_that_would_have_moved(begin):
    it = begin()
    with it.asking("west") as made:
        all_ask_on(made["west"])
        for _ in range(10):
            refused_for_a_taken_port(it, [it.cluster("east"), it.cluster("north", it.sims["west"])],
                                     [it.listener("east"), it.listener("west", "north")])
        all_ask_on(made["west"])
    expect_only_answers(made["west"])


def hold_one(it, name, key):
    """A request that waits for a leader: its thread, and what comes of it."""
    outcome = []
    thread = threading.Thread(target=lambda: outcome.append(it.send(name, key).status))
    thread.start()
    wait_until(lambda: it.proxy.metrics().sum("bellwether_held_requests", cluster=name) > 0, 20, "the request to be held")
    return thread, outcome


def leaderless(it, name):
    for node in it.sims[name].nodes:
        it.sims[name].kill(node.index)
    wait_until(lambda: it.status(name)["leader"] is None, 30, f"{name} to be without a leader")


def test_after_the_order_to_end_nothing_is_reloaded(begin):
    it = begin()
    leaderless(it, "west")
    thread, outcome = hold_one(it, "west", "held")
    os.kill(it.proxy.pid, signal.SIGTERM)
    wait_until(lambda: it.proxy.events("draining"), 20, "the end to begin")
    it.write("east")
    assert "this process ends" in it.command("reload", code=1)
    it.sims["west"].heal()
    thread.join(30)
    assert outcome and outcome[0] in (200, 204)
    wait_until(lambda: not it.proxy.process.is_running(), 10, "the process to end with its last client")
    assert [line.fields["why"] for line in it.proxy.events("ending")] == ["idle"]


def test_what_is_held_at_a_removed_cluster_is_answered(begin):
    it = begin()
    it.write("east", "west", hold_timeout_http="3s", drain_deadline="1s", drain_quiet="500ms")
    it.command("reload")
    leaderless(it, "west")
    thread, outcome = hold_one(it, "west", "held")
    it.write("east", hold_timeout_http="3s", drain_deadline="1s", drain_quiet="500ms")
    it.command("reload")
    thread.join(30)
    assert outcome == [503]
    wait_until(lambda: it.proxy.events("cluster_removed"), 20, "the cluster to be gone")
    assert it.proxy.events("cluster_removed")[0].fields == {"cluster": "west", "cut": "0"}


def test_a_unix_listener_goes_with_its_cluster_and_moves_by_a_restart_only(begin, tmp_path):
    it = begin()
    unix = {"address": f"unix:{tmp_path}/west.sock", "cluster": "west", "mode": "http"}
    it.write_text([it.cluster("east"), it.cluster("west")], [it.listener("east"), unix])
    it.command("reload")
    assert (tmp_path / "west.sock").is_socket()
    it.write_text([it.cluster("east"), it.cluster("west")], [{**unix, "cluster": "east"}, it.listener("west")])
    said = it.command("reload", code=1)
    assert "only a restart can move the file" in said and "cluster west" in said, said
    it.write("east")
    it.command("reload")
    wait_until(lambda: not (tmp_path / "west.sock").exists(), 10, "the socket's file to be gone")


def test_the_names_of_all_clusters_are_asked_for_together(tmp_path, sims):
    with SilentNameServer(tmp_path) as dns:
        it = Stand(tmp_path, sims, write=False)
        hanging = [{"name": f"c{i}", "nodes": [f"http://h{i}.hang.test:8200"]} for i in range(6)]
        it.write_text([it.cluster("east"), *hanging],
                      [it.listener("east"), *[{"address": "127.0.0.1:0", "cluster": each["name"]} for each in hanging]],
                      maxconn=100)
        began = time.monotonic()
        with it.run(wrapper=dns.wrapper) as proxy:
            wait_until(lambda: proxy.events("started"), 40, "the start")
            # One name is waited for for 3 s; six of them, one after the other, would take 18.
            assert time.monotonic() - began < 12
            assert it.send("east", "served").status in (200, 204)


def test_a_name_that_leads_to_the_listener_of_another_cluster_is_refused(tmp_path, sims):
    hosts = HostsFile(tmp_path, {"loop.test": "127.0.0.1"})
    it = Stand(tmp_path, sims, write=False)
    round_about = {"name": "west", "nodes": [f"http://loop.test:{it.ports['east']}"]}
    it.write_text([it.cluster("east"), round_about], [it.listener("east"), it.listener("west")])
    proxy = it.run(wrapper=hosts.wrapper())
    wait_until(lambda: not proxy.process.is_running(), 20, "the start to be refused")
    assert "cluster west" in proxy.log() and "where we listen ourselves" in proxy.log(), proxy.log()
    proxy.end()
    it.write("east", "west")
    with it.run(wrapper=hosts.wrapper()):
        it.wait_all_lead()
        it.write_text([it.cluster("east"), round_about], [it.listener("east"), it.listener("west")])
        said = it.command("reload", code=1)
        assert "cluster west" in said and "where we listen ourselves" in said, said
