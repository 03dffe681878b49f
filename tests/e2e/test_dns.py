"""Names of nodes that a real name server answers: TTLs, services, clusters that change behind a name, broken answers."""

import json
import socket

import pytest

from house.asking import all_ask_on, clients
from house.bellwether import Bellwether
from house.name_server import NameServer, free_address
from house.ports import free_ports
from house.sim_cluster import SimCluster
from house.waiting import wait_until
from house.web import request

HOST = "bao.test"


@pytest.fixture
def names(tmp_path):
    made = []

    def make(**options):
        made.append(NameServer(tmp_path, **options))
        return made[-1]

    yield make
    for each in made:
        each.end()


@pytest.fixture
def port():
    return free_ports(1)[0]


@pytest.fixture
def cluster(tmp_path, port):
    """Makes simulated clusters: the nodes of the first are at 127.0.11.1 and so on, all at one port."""
    made = []

    def make(nodes=3, foreign=False):
        net = 11 + len(made)
        words = ["--nodes", str(nodes), "--node-id-header"]
        for place in range(nodes):
            words += ["--address", f"127.0.{net}.{place + 1}:{port}"]
        made.append(SimCluster(tmp_path / f"sim{net}", tls=False, words=words).start())
        for node in made[-1].nodes if foreign else []:
            made[-1].make_foreign(node.index)  # all simulated clusters have one id
        return made[-1]

    yield make
    for each in made:
        each.end()


@pytest.fixture
def begin(tmp_path):
    """Starts the program before `nodes`, which it finds by the name server."""
    made = []

    def make(server, *nodes, **options):
        file = tmp_path / "bellwether.json"
        file.write_text(json.dumps({"listen": "127.0.0.1:0", "mode": "http", "admin": "127.0.0.1:0",
                                    "nodes": list(nodes), "dns_min_ttl": "1s", "dns_refresh": "1h",
                                    "dns_allow_local": True, **options}))
        made.append(Bellwether(tmp_path, ["-f", file, "--control", tmp_path / "control.sock"],
                               wrapper=server.wrapper))
        return made[-1]

    yield make
    for each in made:
        each.end()
        each.process.expect_no_sanitizer_report()


def addresses_of(sim, *places):
    return [host_of(sim.nodes[place].url) for place in places or range(len(sim.nodes))]


def host_of(url):
    return url.split("://")[1].rsplit(":", 1)[0]


def wait_for_nodes(proxy, addresses, timeout=30):
    wait_until(lambda: sorted(host_of(node["url"]) for node in proxy.status()["nodes"]) == sorted(addresses), timeout,
               f"the nodes {addresses}")


def write(proxy, sim, name):
    return request(f"http://{proxy.address}/v1/secret/data/{name}", "POST", {"data": {"a": "b"}},
                   {"X-Vault-Token": sim.token})


def test_a_name_is_asked_for_again_when_its_ttl_has_ended(names, cluster, begin, port):
    sim = cluster()
    server = names(ttl=2)
    server.lead({HOST: addresses_of(sim, 0)})
    proxy = begin(server, f"http://{HOST}:{port}")
    proxy.wait_ready()
    for places in ((0, 1), (0, 1, 2)):  # the first may be seen by the first asking, which no TTL has ordered
        server.lead({HOST: addresses_of(sim, *places)})
        wait_for_nodes(proxy, addresses_of(sim, *places))


@pytest.fixture
def moved(names, cluster, begin, port, command, tmp_path):
    """Makes a name that has just begun to lead to another cluster, while the old one still leads, and whose answers count
    for a minute: whatever happens before does so for what the new nodes say."""
    def make(**options):
        old, new = cluster(), cluster(foreign=True)
        server = names(ttl=60)
        server.lead({HOST: addresses_of(old)})
        proxy = begin(server, f"http://{HOST}:{port}", dns_min_ttl="4s", dns_refresh="60s", **options)
        proxy.wait_ready()
        done = command("reload", "--control", tmp_path / "control.sock")  # the name is asked for again 4 s after it
        assert done.returncode == 0, done.stderr
        server.lead({HOST: addresses_of(new)})
        return proxy, old, new

    return make


def test_a_name_that_moves_to_another_cluster_is_followed_by_what_its_nodes_say(moved):
    proxy, old, new = moved()
    with clients(proxy, old, {"kept": 1, "fresh": 0}) as asking:
        wait_for_nodes(proxy, addresses_of(new))
        wait_until(proxy.is_ready, 20, "the new leader")
        all_ask_on(asking)
    assert {client.name: client.errors for client in asking if client.errors} == {}
    assert write(proxy, new, "here").status in (200, 204)
    assert (new.writes("here"), old.writes("here")) == (1, 0)


def test_with_hold_another_cluster_waits_for_the_operator(moved, command, tmp_path):
    proxy, old, new = moved(on_cluster_change="hold", hold_timeout_http="1s")
    wait_for_nodes(proxy, addresses_of(new))
    wait_until(lambda: not proxy.is_ready(), 20, "no leader")
    assert {node["role"] for node in proxy.status()["nodes"]} == {"foreign"}
    refused = write(proxy, new, "there")
    assert (refused.status, new.writes("there"), old.writes("there")) == (503, 0, 0)
    assert command("repin", "--control", tmp_path / "control.sock").returncode == 0
    wait_until(proxy.is_ready, 20, "the new leader")
    assert write(proxy, new, "there").status in (200, 204)
    assert (new.writes("there"), old.writes("there")) == (1, 0)


def test_the_nodes_of_a_service_are_those_of_its_srv_records(names, begin, tmp_path):
    with SimCluster.running(tmp_path / "sim", tls=False, words=["--nodes", "3", "--node-id-header"]) as sim:
        ports = [int(node.url.rsplit(":", 1)[1]) for node in sim.nodes]
        server = names(ttl=1)
        records = [f"srv-host=_vault._tcp.test,{HOST},{each}" for each in ports]
        server.lead({HOST: ["127.0.0.1"]})
        server.say(*records[:2])
        proxy = begin(server, "srv+http://_vault._tcp.test")
        wait_until(lambda: len(proxy.status()["nodes"]) == 2, 30, "two nodes")
        server.say(*records)
        wait_until(lambda: len(proxy.status()["nodes"]) == 3, 30, "three nodes")
        proxy.wait_ready()
        names_of_nodes = {node["name"] for node in proxy.status()["nodes"]}
        assert names_of_nodes == {f"_vault._tcp.test/127.0.0.1:{each}" for each in ports}
        with clients(proxy, sim, {"kept": 1}) as asking:
            all_ask_on(asking)
            sim.step_down(sim.leader())
            all_ask_on(asking)
        assert {client.name: client.errors for client in asking if client.errors} == {}


def test_answers_that_do_not_fit_a_datagram_aliases_and_search_domains_work(names, cluster, begin, port):
    sim = cluster()
    server = names(search="ns.svc.test")
    others = [f"127.0.200.{number}" for number in range(1, 50)]  # nobody is there
    server.lead({"pods.test": others + addresses_of(sim)})
    server.say("cname=middle.ns.svc.test,pods.test", "cname=bao-internal.ns.svc.test,middle.ns.svc.test")
    proxy = begin(server, f"http://bao-internal:{port}")
    proxy.wait_ready()
    wait_for_nodes(proxy, others + addresses_of(sim))


def test_a_thousand_addresses_are_refused_and_the_nodes_stay(names, cluster, begin, port):
    sim = cluster()
    server = names(ttl=1)
    server.lead({HOST: addresses_of(sim)})
    proxy = begin(server, f"http://{HOST}:{port}")
    proxy.wait_ready()
    server.lead({HOST: [f"127.1.{number // 250}.{number % 250}" for number in range(1, 1000)] + addresses_of(sim)})
    refused = wait_until(lambda: proxy.events("names_refused"), 30, "the refusal")
    assert "there may be 64 nodes" in refused[0].fields["why"]
    wait_for_nodes(proxy, addresses_of(sim))
    assert proxy.is_ready()


def test_without_a_name_server_the_last_addresses_stay(names, cluster, begin, port):
    sim = cluster()
    server = names(ttl=1)
    server.lead({HOST: addresses_of(sim)})
    proxy = begin(server, f"http://{HOST}:{port}", dns_refresh="2s")
    proxy.wait_ready()
    server.end()
    wait_until(lambda: proxy.metrics().sum("bellwether_names_unanswered") == 1, 30, "the missing answer")
    assert [line.fields["host"] for line in proxy.events("name_unanswered")] == [f"{HOST}:{port}"]
    wait_for_nodes(proxy, addresses_of(sim))
    assert proxy.is_ready()
    server.begin()
    wait_until(lambda: proxy.metrics().sum("bellwether_names_unanswered") == 0, 30, "an answer again")
    assert proxy.events("nodes_changed") == []


def test_what_only_this_machine_sees_is_not_used_for_a_name_servers_word(names, cluster, begin, port):
    sim = cluster()
    server = names(ttl=1)
    server.lead({HOST: addresses_of(sim)})
    proxy = begin(server, f"http://{HOST}:{port}", dns_allow_local=False)
    refused = wait_until(lambda: proxy.events("node_unresolved"), 30, "the refusal")
    assert "leads to 127.0.11." in refused[0].fields["why"]
    assert "dns_allow_local permits that" in refused[0].fields["why"]
    assert not proxy.is_ready()


def test_a_name_whose_server_is_silent_keeps_no_other_waiting(names, cluster, begin, port):
    sim = cluster()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        address = free_address()
        silent.bind((address, 53))
        server = names(ttl=60)
        server.lead({HOST: addresses_of(sim)})
        server.say(f"server=/silent.example/{address}")
        proxy = begin(server, "http://a.silent.example:8200", "http://b.silent.example:8200", f"http://{HOST}:{port}")
        proxy.wait_ready()
        problems = {node["name"]: node for node in proxy.status()["nodes"]}
        assert len(problems) == 5
    assert proxy.events("node_unresolved")


def test_a_host_whose_ipv4_address_is_dead_is_served_at_its_ipv6_address(names, begin, tmp_path, port):
    with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
        try:
            probe.bind(("::1", port))
        except OSError:
            pytest.skip("no IPv6 on loopback here")
    words = ["--nodes", "1", "--address", f"[::1]:{port}"]
    with SimCluster.running(tmp_path / "sim", tls=False, words=words) as sim:
        server = names(ttl=60)
        server.lead({HOST: ["127.0.201.1", "::1"]})
        proxy = begin(server, f"http://{HOST}:{port}")
        proxy.wait_ready()
        assert write(proxy, sim, "here").status in (200, 204)
