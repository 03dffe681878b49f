"""Two nodes that say 200 at the same time: whom clients are sent to, and how the conflict is shown."""

import collections
import itertools

import pytest

from house.asking import all_ask_on, clients
from house.bellwether import LOOPBACK, Bellwether
from house.browser import Browser
from house.sim_cluster import SimCluster
from house.waiting import wait_until

# What Bellwether's log tells of a request or a connection.
Routed = collections.namedtuple("Routed", "epoch node")


@pytest.fixture
def cut_cluster(tmp_path):
    """A leader that is cut off from its peers says 200 until it is healed, beside its successor."""
    words = ["--lease", "5m", "--crash-election", "200ms", "--node-id-header"]
    with SimCluster.running(tmp_path / "sim", tls=False, words=words) as made:
        yield made


def cut_off_the_leader(sim):
    """Returns the old and the new leader, once both have said 200."""
    old = sim.leader()
    sim.cut_off(old)

    def successor():
        return next((node.index + 1 for node in sim.nodes if node.index != old and sim.health(node.index) == 200), None)

    new = wait_until(successor, 10, "a second leader", every=0.02) - 1
    assert sim.health(old) == 200 and sim.health(new) == 200
    return old, new


def name(sim, index):
    return sim.nodes[index].url.split("//")[1]


def wait_for_epoch(proxy, epoch):
    wait_until(lambda: proxy.status()["epoch"] == epoch, 10, f"epoch {epoch}", every=0.02)


def routed(proxy, asking, mode):
    """For each client, in the order in which it asked: its answers, with what the log says of each."""
    wait_until(lambda: proxy.metrics().sum("bellwether_open_connections", side="client") == 0, 20, "all clients to be gone")
    find = requests_of_log(proxy) if mode == "http" else sessions_of_log(proxy)
    return {client.name: [(told, find(client, told)) for told in client.told] for client in asking}


def of_line(line):
    return Routed(int(line.fields["epoch"]), line.fields["node"])


def requests_of_log(proxy):
    lines = {line.fields["path"]: of_line(line) for line in proxy.events("request")}
    return lambda _, told: lines[told.path]


def sessions_of_log(proxy):
    """A kept connection is one line, however many answers came over it; a port may come again later."""
    lines = collections.defaultdict(collections.deque)
    for line in proxy.events("session"):
        lines[line.fields["client"]].append(of_line(line))
    kept = {}

    def find(client, told):
        if not client.keeps:
            return lines[told.port].popleft()
        if told.port not in kept:
            kept[told.port] = lines[told.port].popleft()
        return kept[told.port]

    return find


def expect_order(proxy, sim, histories):
    """Per client no epoch goes back, each epoch is one node for all, and that is the node that answered."""
    assert proxy.metrics().sum("bellwether_log_dropped_lines_total") == 0
    for client, history in histories.items():
        epochs = [at.epoch for _, at in history]
        assert epochs == sorted(epochs), (client, epochs)
    nodes = collections.defaultdict(set)
    for told, at in itertools.chain(*histories.values()):
        nodes[at.epoch].add(at.node)
        assert told.status != 200 or name(sim, int(told.executor[1:]) - 1) == at.node, (told, at)
    assert all(len(each) == 1 for each in nodes.values()), nodes
    elected = {int(line.fields["epoch"]): line.fields["node"] for line in proxy.events("leader_changed")}
    # On a slow machine an epoch may end before anybody has asked.
    assert {epoch: {elected.get(epoch)} for epoch in nodes} == nodes


HTTP_CLIENTS = {"kept": 1, "fresh": 0, "pool": 4}
# The connections of a pool end one after the other where they cannot end between two requests.
TCP_CLIENTS = {"kept": 1, "fresh": 0}


def start(tmp_path, sim, mode, workers=1, words=()):
    log = ["--log-requests", "--log-paths"] if mode == "http" else ["--log-sessions", "--log-level", "debug"]
    return Bellwether(tmp_path, [*LOOPBACK, "--mode", mode, "--threads", str(workers), "--drain-quiet", "500ms",
                                 "--drain-deadline", "500ms", *log,
                                 *words, *sim.urls])


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("mode", ["http", "tcp"])
def test_while_old_and_new_leader_say_200_no_client_goes_back(cut_cluster, tmp_path, mode, workers):
    sim = cut_cluster
    with start(tmp_path, sim, mode, workers) as proxy:
        proxy.wait_ready()
        with clients(proxy, sim, HTTP_CLIENTS if mode == "http" else TCP_CLIENTS) as asking:
            all_ask_on(asking)
            for epoch in (2, 3, 4):
                old, new = cut_off_the_leader(sim)
                wait_for_epoch(proxy, epoch)
                # The old one goes on claiming, which is shown and changes nothing.
                wait_until(lambda: proxy.status()["conflict"] == name(sim, old), 10, "the conflict in the status")
                all_ask_on(asking, 50)
                assert proxy.leader_by_status() == name(sim, new)
                assert proxy.metrics().sum("bellwether_contested") == 1
                assert sim.health(old) == sim.health(new) == 200
                sim.heal()
                wait_until(lambda: proxy.status()["conflict"] is None, 10, "the old leader to give up")
                assert proxy.metrics().sum("bellwether_contested") == 0
                all_ask_on(asking)
                assert proxy.status()["epoch"] == epoch
        histories = routed(proxy, asking, mode)
        expect_order(proxy, sim, histories)
        told = [told for client in asking for told in client.told]
        errors = [error for client in asking for error in client.errors]
        assert {each.status for each in told} == {200}
        if mode == "http":
            assert errors == []
        assert {at.epoch for history in histories.values() for _, at in history} == {1, 2, 3, 4}
        # Each time once for what the old one goes on to say, and before if it was heard again before the new one led.
        counted = proxy.metrics().sum("bellwether_conflicts_total", kind="two_leaders")
        assert len(proxy.events("conflict")) == len(proxy.events("conflict_ended")) == counted >= 3
        print(f"{mode}, {workers} workers: {len(told)} answers, {len(errors)} cut connections")


def pretend_beside(sim):
    leader = sim.leader()
    impostor = (leader + 1) % len(sim.nodes)
    sim.pretend_to_lead(impostor)
    return leader, impostor


def test_what_nothing_decides_keeps_the_leader_and_is_reported(cut_cluster, tmp_path):
    sim = cut_cluster
    with start(tmp_path, sim, "http", workers=2) as proxy:
        proxy.wait_ready()
        with clients(proxy, sim, HTTP_CLIENTS) as asking:
            leader, impostor = pretend_beside(sim)
            wait_until(lambda: proxy.status()["conflict"] == name(sim, impostor), 10, "the conflict in the status")
            all_ask_on(asking, 50)
            assert sim.health(leader) == sim.health(impostor) == 200
            assert proxy.is_ready()
            scrape = proxy.metrics()
            assert scrape.sum("bellwether_contested") == 1
            assert scrape.sum("bellwether_conflicts_total", kind="two_leaders") >= 1
            line = proxy.events("conflict")[0]
            assert (line.level, line.fields["node"], line.fields["challenger"]) == (
                "WARN", name(sim, leader), name(sim, impostor))
            sim.stop_pretending(impostor)
            wait_until(lambda: proxy.status()["conflict"] is None, 10, "the end of the conflict")
            all_ask_on(asking)
        assert [client.errors for client in asking] == [[]] * len(asking)
        expect_order(proxy, sim, routed(proxy, asking, "http"))
        # But for a leader that does not answer, on a slow machine, nothing may have moved them (it may move back then).
        later = [line.fields["why"] for line in proxy.events("leader_changed")[1:]]
        assert all("does not answer" in why or "late" in why or "suspect" in why for why in later[:1]), later


@pytest.mark.parametrize("mode", ["http", "tcp"])
@pytest.mark.parametrize("fault", ["impostor", "partition"])
def test_with_hold_requests_wait_while_two_say_200_and_then_go_on(cut_cluster, tmp_path, fault, mode):
    sim = cut_cluster
    with start(tmp_path, sim, mode, workers=2, words=["--on-conflict", "hold"]) as proxy:
        proxy.wait_ready()
        with clients(proxy, sim, HTTP_CLIENTS if mode == "http" else {"fresh": 0}) as asking:
            all_ask_on(asking)
            if fault == "impostor":
                leader, impostor = pretend_beside(sim)
                new = leader
            else:
                impostor, new = cut_off_the_leader(sim)
                wait_for_epoch(proxy, 2)
            wait_until(lambda: proxy.status()["state"] == "conflict", 10, "the conflict")
            # All of them wait: each asks for one thing at a time.
            wait_until(lambda: proxy.metrics().sum("bellwether_held_requests") == len(asking), 10, "all to be held")
            so_far = [len(client.told) for client in asking]
            status = proxy.status()
            assert (status["state"], status["conflict"]) == ("conflict", name(sim, impostor)), status
            assert proxy.metrics().sum("bellwether_hold", reason="conflict") == 1
            assert "two nodes claim to lead" in proxy.get("/readyz").text()
            assert sim.health(impostor) == sim.health(new) == 200
            assert [len(client.told) for client in asking] == so_far
            sim.stop_pretending(impostor)
            wait_until(lambda: proxy.status()["conflict"] is None, 10, "the end of the conflict")
            all_ask_on(asking)
            assert proxy.is_ready()
        assert [client.errors for client in asking] == [[]] * len(asking)
        expect_order(proxy, sim, routed(proxy, asking, mode))


@pytest.mark.slow
@pytest.mark.parametrize("on_conflict, words", [("keep", " leads"), ("hold", " is contested: requests wait")])
def test_the_page_names_both(cut_cluster, tmp_path, on_conflict, words):
    sim = cut_cluster
    with start(tmp_path, sim, "http", words=["--on-conflict", on_conflict]) as proxy, Browser(tmp_path) as browser:
        proxy.wait_ready()
        browser.open(proxy.admin + "/")
        leader, impostor = pretend_beside(sim)
        notice = f"{name(sim, impostor)} claims to lead as well."
        wait_until(lambda: notice in browser.text(), 20, "the page to tell of the conflict")
        assert browser.run("return document.getElementById('state').innerText").strip() == words.strip()
        assert browser.run("return document.getElementById('leader-name').innerText") == name(sim, leader)
        sim.stop_pretending(impostor)
        wait_until(lambda: notice not in browser.text(), 20, "the page to tell of its end")
