"""Reload: nodes and timings change while it runs; a file with an error changes nothing."""

import itertools
import json
import os
import signal
import subprocess
import threading

import pytest

from house.asking import EXECUTOR, all_ask_on, clients
from house.bellwether import Bellwether, binary
from house.hosts_file import HostsFile
from house.sim_cluster import SimCluster
from house.waiting import wait_until
from house.web import request


class Stand:
    """A cluster of five, of which the first three are configured, and the program before it."""

    def __init__(self, folder, sim, mode="http"):
        self.sim = sim
        self.mode = mode
        self.file = folder / "bellwether.json"
        self.socket = folder / "control.sock"
        self.write(self.nodes(0, 1, 2))
        self.proxy = Bellwether(folder, ["-f", self.file, "--control", self.socket])

    def nodes(self, *places, **renamed):
        """n2="b": the node n2 is called b."""
        return [{"url": self.sim.nodes[i].url, "name": renamed.get(self.sim.nodes[i].name, self.sim.nodes[i].name)}
                for i in places]

    def write(self, nodes, **options):
        text = {"listen": "127.0.0.1:0", "mode": self.mode, "admin": "127.0.0.1:0", "nodes": nodes, **options}
        self.file.write_text(json.dumps(text, indent=1))

    def reload(self, *words):
        return subprocess.run([binary(), "reload", "--control", str(self.socket), *words], capture_output=True,
                              text=True, timeout=30, check=False)

    def use(self, nodes, **options):
        self.write(nodes, **options)
        done = self.reload()
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def names(self):
        return [node["name"] for node in self.proxy.status()["nodes"]]

    def leader_place(self):
        return self.sim.leader()


@pytest.fixture
def begin(tmp_path):
    """Makes stands of a kind, before five nodes of which the first leads, and ends them."""
    with SimCluster.running(tmp_path / "sim", tls=False, words=["--nodes", "5", "--node-id-header"]) as sim:
        made = []

        def make(kind, *arguments):
            made.append(kind(tmp_path, sim, *arguments))
            made[-1].proxy.wait_ready()
            assert made[-1].leader_place() == 0
            return made[-1]

        yield make
        for each in made:
            each.proxy.end()
            each.proxy.process.expect_no_sanitizer_report()


@pytest.fixture
def stand(begin):
    return lambda mode="http": begin(Stand, mode)


@pytest.mark.parametrize("mode", ["http", "tcp"])
def test_nodes_come_and_go_and_are_renamed_beside_clients_that_notice_nothing(stand, mode):
    it = stand(mode)
    with clients(it.proxy, it.sim, {"kept": 1, "fresh": 0}) as asking:
        all_ask_on(asking)
        said = it.use(it.nodes(0, 1, 3, n1="first"))
        assert f"-node n3 ({it.sim.nodes[2].url}" in said and f"+node n4 ({it.sim.nodes[3].url}" in said, said
        assert "node n1 is called first" in said, said
        all_ask_on(asking)
        it.use(it.nodes(4, 0))
        all_ask_on(asking)
    assert it.names() == ["n5", "n1"]
    assert it.proxy.leader_by_status() == "n1"
    assert it.proxy.status()["epoch"] == 1
    for client in asking:
        assert client.errors == []
        assert {told.status for told in client.told} == {200}
    kept = {told.port for client in asking if client.keeps for told in client.told}
    assert len(kept) == 2, "a connection to a node that stays was ended"
    assert [line.fields["node"] for line in it.proxy.events("node_added")] == ["n4", "n5"]
    assert [line.fields["node"] for line in it.proxy.events("node_removed")] == ["n3", "n2", "n4"]
    assert it.proxy.events("node_renamed")
    assert {labels["node"] for labels, _ in it.proxy.metrics().all("bellwether_node_up")} == {"n5", "n1"}


def test_a_leader_that_is_removed_is_followed_by_the_next_one(stand):
    it = stand()
    with clients(it.proxy, it.sim, {"kept": 1, "fresh": 0}) as asking:
        all_ask_on(asking)
        it.use(it.nodes(1, 2, 3, 4))
        wait_until(lambda: it.proxy.metrics().sum("bellwether_held_requests") == len(asking), 10, "all to be held")
        status = it.proxy.status()
        assert status["leader"] is None and "n1 was removed from the nodes" in status["hold"]["why"], status["hold"]
        it.sim.step_down(0)
        all_ask_on(asking)
    assert it.proxy.leader_by_status() == it.sim.nodes[it.leader_place()].name
    for client in asking:
        assert client.errors == []
        assert {told.status for told in client.told} == {200}
    assert [line.level for line in it.proxy.events("node_removed")] == ["WARN"]
    failover = it.proxy.get("/failovers").json()["failovers"][0]
    assert (failover["from"], failover["cause"]) == ("n1", "operator")


def test_all_nodes_are_replaced_by_those_of_another_cluster(stand, tmp_path):
    it = stand()
    with SimCluster.running(tmp_path / "other", tls=False, words=["--node-id-header"]) as other:
        for node in other.nodes:
            other.make_foreign(node.index)  # all simulated clusters have one id
        with clients(it.proxy, it.sim, {"kept": 1, "fresh": 0}) as asking:
            all_ask_on(asking)
            before = it.proxy.status()["cluster_id"]
            it.use([{"url": node.url, "name": f"other-{node.name}"} for node in other.nodes])
            wait_until(lambda: (it.proxy.leader_by_status() or "").startswith("other-"), 20, "the other cluster's leader")
            all_ask_on(asking)
        for client in asking:
            assert client.errors == []
        assert it.proxy.status()["cluster_id"] not in ("", before)
        assert it.proxy.events("foreign_node") == []
        headers = {"X-Vault-Token": other.token}
        written = request(f"http://{it.proxy.address}/v1/secret/data/here", "POST", {"data": {"a": "b"}}, headers)
        assert written.status in (200, 204), written
        assert (other.writes("here"), it.sim.writes("here")) == (1, 0)


@pytest.mark.parametrize("content,words", [
    ("{ broken", ["bellwether.json:1:3"]),
    ('{"nodes": ["http://127.0.0.1:1"],\n "intre": 3,\n "fall": "x"}', ["bellwether.json:2:2", "inter", "bellwether.json:3:10"]),
    ('{"nodes": []}', ["nodes"]),
    (None, ["cannot read"]),
], ids=["broken", "two_errors", "no_nodes", "gone"])
def test_a_file_with_errors_changes_nothing_and_each_is_named(stand, content, words):
    it = stand()
    good = it.file.read_text()
    if content is None:
        it.file.unlink()
    else:
        it.file.write_text(content)
    refused = it.reload()
    assert refused.returncode == 1
    for word in words:
        assert word in refused.stderr, refused.stderr
    assert it.names() == ["n1", "n2", "n3"]
    assert it.proxy.metrics().sum("bellwether_config_last_reload_successful") == 0
    assert it.proxy.status()["config"]["current"] is False
    assert [line.level for line in it.proxy.events("config_refused")] == ["ERROR"] * len(it.proxy.events("config_refused"))
    told = json.loads(it.reload("--json").stdout)
    assert told["problems"] and told["changes"] == []
    it.file.write_text(good)
    assert it.reload().stdout == "reloaded: nothing has changed\n"
    assert it.proxy.metrics().sum("bellwether_config_last_reload_successful") == 1
    assert it.proxy.status()["config"]["current"] is True
    assert it.proxy.status()["epoch"] == 1


def test_timings_change_at_once_and_what_needs_a_restart_is_named(stand):
    it = stand()
    said = it.use(it.nodes(0, 1, 2), inter="100ms", idle_inter="100ms", maxconn=77, threads=3, admin="127.0.0.1:9")
    assert 'inter "1s" -> "100ms"' in said and "maxconn 2000 -> 77" in said, said
    assert "needs a restart: threads 1 -> 3" in said, said
    assert 'needs a restart: admin "127.0.0.1:0" -> "127.0.0.1:9"' in said, said
    line = it.proxy.events("reload_unsupported")[0]
    assert line.level == "WARN" and "threads 1 -> 3" in line.fields["options"]
    assert it.proxy.status()["config"]["last_reload"]["needs_restart"]
    assert it.proxy.metrics().sum("bellwether_maxconn") == 77

    def probes():
        return it.proxy.metrics().sum("bellwether_probes_total", node="n2")

    before = probes()
    wait_until(lambda: probes() >= before + 15, 10, "ten probes a second")
    assert it.reload().stdout.startswith("reloaded: nothing has changed\n  needs a restart: ")


def test_hup_reloads_as_the_command_does(stand):
    it = stand()
    it.write(it.nodes(0, 1, 3))
    it.proxy.process.send(signal.SIGHUP)
    wait_until(lambda: it.names() == ["n1", "n2", "n4"], 10, "the new nodes")
    assert "+node n4" in it.proxy.events("config_reloaded")[0].fields["changes"]


def test_a_node_in_maintenance_stays_so(stand, command):
    it = stand()
    assert command("node", "n2", "maint", "--control", it.socket).returncode == 0
    it.use(it.nodes(0, 1, 4, n2="second"))
    states = {node["name"]: node["admin"] for node in it.proxy.status()["nodes"]}
    assert states == {"n1": "ready", "second": "maint", "n5": "ready"}
    assert command("node", "second", "ready", "--control", it.socket).returncode == 0
    unknown = command("node", "n2", "ready", "--control", it.socket)
    assert unknown.returncode == 1 and 'no node is named "n2"' in unknown.stderr, unknown.stderr


def test_standard_input_cannot_be_read_again(stand, tmp_path):
    it = stand()
    text = it.file.read_text()
    with open(it.file, encoding="utf-8") as piped:
        socket = tmp_path / "other.sock"
        process = subprocess.Popen([binary(), "run", "-f", "-", "--control", str(socket)], stdin=piped,
                                   stderr=subprocess.PIPE, text=True)
        try:
            wait_until(socket.exists, 20, "its control socket")
            done = subprocess.run([binary(), "reload", "--control", str(socket)], capture_output=True, text=True,
                                  timeout=30, check=False)
            assert done.returncode == 1 and "standard input" in done.stderr, done.stderr
        finally:
            process.terminate()
            process.communicate(timeout=30)
    assert text


def test_a_watched_file_is_reloaded_when_it_changes_also_by_a_swapped_link(sim, tmp_path):
    """As a ConfigMap is mounted: the file is a link into a folder that is a link, and that one is swapped."""
    volume = tmp_path / "volume"
    volume.mkdir()

    def put(version, text):
        folder = volume / version
        folder.mkdir()
        (folder / "bellwether.json").write_text(text)
        (volume / "next").symlink_to(version)
        os.replace(volume / "next", volume / "data")

    def text(*places):
        nodes = [{"url": sim.nodes[i].url, "name": f"n{i + 1}"} for i in places]
        return json.dumps({"listen": "127.0.0.1:0", "admin": "127.0.0.1:0", "nodes": nodes})

    put("1", text(0, 1, 2))
    (volume / "bellwether.json").symlink_to("data/bellwether.json")
    with Bellwether(tmp_path, ["-f", volume / "bellwether.json", "--watch"]) as proxy:
        proxy.wait_ready()

        def names():
            return [node["name"] for node in proxy.status()["nodes"]]

        put("2", text(2, 0))
        wait_until(lambda: names() == ["n3", "n1"], 15, "the new nodes")
        put("3", "{ broken")
        wait_until(lambda: proxy.events("config_refused"), 15, "the error")
        put("4", text(0, 1))
        wait_until(lambda: names() == ["n1", "n2"], 15, "the nodes of the mended file")
        (volume / "bellwether.json").unlink()
        wait_until(lambda: len(proxy.events("config_refused")) == 2, 15, "the missing file")
        (volume / "bellwether.json").symlink_to("data/bellwether.json")
        wait_until(lambda: proxy.status()["config"]["current"], 15, "the file that is back")
        assert len(proxy.events("config_refused")) == 2
        assert names() == ["n1", "n2"]


@pytest.mark.parametrize("mode", ["http", "tcp"])
def test_a_hundred_reloads_beside_clients(stand, mode):
    """The leader stays: whatever else comes, goes or is called otherwise, no client sees an error."""
    it = stand(mode)
    choices = [(1, 2), (3, 4), (1,), (2, 3, 4), (), (4, 2)]
    with clients(it.proxy, it.sim, {"kept": 1, "three": 3, "fresh": 0}) as asking:
        all_ask_on(asking)
        for number, others in zip(range(100), itertools.cycle(choices)):
            places = (*others, 0) if number % 2 else (0, *others)
            it.use(it.nodes(*places, n1=f"leader{number % 3}"), inter="1s" if number % 4 else "300ms")
        all_ask_on(asking)
    assert it.proxy.status()["epoch"] == 1
    for client in asking:
        assert client.errors == []
        assert {told.status for told in client.told} == {200}
    assert len(it.proxy.events("config_reloaded")) == 100


def test_reloads_that_meet_are_one_after_the_other(stand):
    it = stand()
    done = []
    threads = [threading.Thread(target=lambda: done.append(it.reload())) for _ in range(8)]
    it.write(it.nodes(0, 3))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [each.returncode for each in done] == [0] * 8
    assert it.names() == ["n1", "n4"]
    assert len(it.proxy.events("node_added")) == 1


def test_a_removed_leader_is_not_written_to_any_more(stand):
    it = stand()
    stop = threading.Event()
    answers = []

    def write():
        for number in itertools.count():
            if stop.is_set():
                return
            url = f"http://{it.proxy.address}/v1/secret/data/w{number}"
            answers.append(request(url, "POST", {"data": {"n": number}}, {"X-Vault-Token": it.sim.token}, timeout=40))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        wait_until(lambda: len(answers) > 20, 20, "writes")
        it.use(it.nodes(1, 2, 3, 4))
        so_far = len(answers)
        it.sim.step_down(0)
        wait_until(lambda: len(answers) > so_far + 20, 30, "writes to another leader")
    finally:
        stop.set()
        writer.join(50)
    assert {answer.status for answer in answers} <= {200, 204}
    late = {answer.headers.get(EXECUTOR) for answer in answers[so_far + 1:]}
    assert late == {it.sim.nodes[it.leader_place()].name}


class NamedStand(Stand):
    """Nodes by names, which a hosts file of its own leads to addresses."""

    def __init__(self, folder, sim, nodes, hosts):
        self.sim, self.mode = sim, "http"
        self.file, self.socket = folder / "bellwether.json", folder / "control.sock"
        hosts_file = HostsFile(folder, hosts)
        self.lead = hosts_file.lead
        self.named = [{"url": f"http://{host}:{self.port(0)}", **({"name": name} if name else {})} for name, host in nodes]
        self.write([*self.named, *self.nodes(1, 2)])
        self.proxy = Bellwether(folder, ["-f", self.file, "--control", self.socket], wrapper=hosts_file.wrapper())

    def port(self, place):
        return self.sim.nodes[place].url.rsplit(":", 1)[1]

    def answers(self):
        return request(f"http://{self.proxy.address}/v1/sys/internal/ui/mounts/secret/x",
                       headers={"X-Vault-Token": self.sim.token}, timeout=20).status


@pytest.fixture
def named(begin):
    def make(hosts, *nodes):
        """A node is its name and its host; the port is that of the first simulated node."""
        it = begin(NamedStand, nodes, hosts)
        return it, it.named

    return make


@pytest.mark.parametrize("mode", ["http", "tcp"])
def test_another_name_of_the_leader_changes_nothing_wherever_it_stands(stand, mode):
    it = stand(mode)
    alias = {"url": it.sim.nodes[0].url.replace("127.0.0.1", "localhost"), "name": "alias"}
    with clients(it.proxy, it.sim, {"kept": 1, "fresh": 0}) as asking:
        for nodes in ([alias, *it.nodes(0, 1, 2)], [*it.nodes(0), alias, *it.nodes(1)], [*it.nodes(1), alias, *it.nodes(0)]):
            it.use(nodes)
            all_ask_on(asking)
    assert it.proxy.leader_by_status() == "n1" and it.proxy.status()["epoch"] == 1
    assert {client.errors == [] for client in asking} == {True}
    assert len(it.proxy.events("node_named_twice")) == 1


def test_a_name_that_leads_to_another_node_s_address_loses_its_own(named):
    it, written = named({"old.test": "127.0.0.50", "vault1.test": "127.0.0.1"}, ("n0", "old.test"), ("n1", "vault1.test"))
    assert it.proxy.leader_by_status() == "n1"
    it.lead({"old.test": "127.0.0.1", "vault1.test": "127.0.0.1"})
    others = it.nodes(1, 2)
    it.use([*written, *others])
    assert it.answers() == 200
    it.lead({"old.test": "127.0.0.1", "vault1.test": "127.0.0.50"})
    it.use([*written, *others], inter="900ms")
    wait_until(lambda: it.proxy.leader_by_status() == "n0", 10, "the one whose name leads to the leader")
    assert it.answers() == 200
    assert {node["name"]: node["same_as"] for node in it.proxy.status()["nodes"]} == dict.fromkeys(("n0", "n1", "n2", "n3"))


def test_a_name_that_grows_to_two_addresses_keeps_its_leader(named):
    it, _ = named({"vault1.test": "127.0.0.1"}, ("", "vault1.test"))
    it.lead({"vault1.test": ["127.0.0.9", "127.0.0.1"]})
    assert "+node" in it.reload().stdout
    assert len(it.names()) == 4 and it.answers() == 200
    it.lead({"vault1.test": "127.0.0.1"})
    assert "-node" in it.reload().stdout
    assert len(it.names()) == 3 and it.answers() == 200
    assert it.proxy.status()["epoch"] == 1
    assert it.proxy.events("leader_lost") == []


def test_maintenance_stays_with_a_name_that_moves(named, command):
    it, _ = named({"vault1.test": "127.0.0.1", "other.test": "127.0.0.50"}, ("n1", "vault1.test"), ("moving", "other.test"))
    assert command("node", "moving", "maint", "--control", it.socket).returncode == 0
    it.lead({"vault1.test": "127.0.0.1", "other.test": "127.0.0.51"})
    said = it.reload().stdout
    assert "-node moving" in said and "+node moving" in said, said
    assert {node["name"]: node["admin"] for node in it.proxy.status()["nodes"]}["moving"] == "maint"


def test_a_name_without_an_answer_keeps_its_node(named):
    it, _ = named({"vault1.test": "127.0.0.1"}, ("n1", "vault1.test"))
    it.lead({})
    said = it.use([{"url": f"http://vault1.test:{it.port(0)}", "name": "n1"}, *it.nodes(1)])
    assert "hint: nodes: there is no answer about vault1.test now; its last addresses stay" in said, said
    assert it.names() == ["n1", "n2"] and it.answers() == 200
    assert "vault1.test" in it.proxy.events("config_hint")[0].fields["why"]


def test_our_own_listener_is_no_node_whatever_port_it_was_given(stand):
    it = stand()
    it.write([*it.nodes(0, 1), {"url": f"http://{it.proxy.address}", "name": "me"}])
    refused = it.reload()
    assert refused.returncode == 1 and "where we listen ourselves" in refused.stderr, refused.stderr
    assert it.names() == ["n1", "n2", "n3"]


def test_too_many_nodes_are_one_error(stand):
    it = stand()
    it.write([f"http://10.0.{i // 200}.{i % 200 + 1}:8200" for i in range(300)])
    refused = it.reload()
    assert refused.returncode == 1
    assert refused.stderr.count("more than 64 nodes") == 1 and len(refused.stderr.splitlines()) < 5, refused.stderr


def test_a_file_system_that_hangs_is_said_to(stand):
    """A FIFO that nobody writes to: reading it never ends."""
    it = stand()
    good = it.file.read_text()
    it.file.unlink()
    os.mkfifo(it.file)
    refused = it.reload()
    assert refused.returncode == 1 and "does not answer" in refused.stderr, refused.stderr
    assert "still being read" in it.reload().stderr
    assert request(f"http://{it.proxy.address}/v1/sys/health").status == 200
    with open(it.file, "w", encoding="utf-8") as late:
        late.write(good)
    it.file.unlink()
    it.file.write_text(good)
    wait_until(lambda: it.reload().returncode == 0, 10, "the next reading")
