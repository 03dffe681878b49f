"""What clusters, names and signals do that has fooled balancers: see the table in tests/README.md."""

import json
import signal
import socket
import socketserver
import threading

import pytest

from house.asking import EXECUTOR, PATH, all_ask_on, clients
from house.bellwether import LOOPBACK, Bellwether
from house.own_files import own_files
from house.ports import free_ports
from house.sim_cluster import SimCluster
from house.waiting import wait_until
from house.web import request


@pytest.fixture
def cluster(tmp_path):
    """Starts simulated clusters, by the words that each needs."""
    made = []

    def start(*words):
        made.append(SimCluster(tmp_path / f"sim{len(made)}", tls=False, words=["--node-id-header", *words]))
        return made[-1].start()

    yield start
    for each in made:
        each.end()


def test_a_standby_that_answers_reads_with_200_is_not_taken_for_a_leader(cluster, tmp_path):
    sim = cluster("--demotion-block", "0ms", "--election", "2s")
    with Bellwether(tmp_path, [*LOOPBACK, "--mode", "http", *sim.urls]) as proxy:
        proxy.wait_ready()
        with clients(proxy, sim, {"kept": 1, "fresh": 0}) as asking:
            all_ask_on(asking)
            old = sim.leader()
            sim.step_down(old)
            wait_until(lambda: proxy.metrics().sum("bellwether_held_requests") == len(asking), 2, "all to be held")
            read = sim.call(old, "GET", PATH + "x")
            assert (read.status, read.headers[EXECUTOR]) == (200, sim.nodes[old].name)
            assert proxy.leader_by_status() is None
            so_far = {client: len(client.told) for client in asking}
            all_ask_on(asking)
        new = sim.nodes[sim.leader()].name
        assert new != sim.nodes[old].name
        for client in asking:
            assert client.errors == []
            assert {told.executor for told in client.told[so_far[client]:]} == {new}


@pytest.mark.parametrize("mode", ["http", "tcp"])
def test_a_node_that_is_elected_again_serves_what_was_held(cluster, tmp_path, mode):
    sim = cluster("--nodes", "1", "--election", "1s")
    with Bellwether(tmp_path, [*LOOPBACK, "--mode", mode, "--drain-quiet", "10s", *sim.urls]) as proxy:
        proxy.wait_ready()
        with clients(proxy, sim, {"fresh": 0}) as asking:
            all_ask_on(asking)
            host, port = proxy.address.rsplit(":", 1)
            with socket.create_connection((host, int(port)), timeout=10) as quiet:
                wait_until(lambda: proxy.metrics().sum("bellwether_open_connections", side="client") >= 1, 10, "the session")
                sim.step_down(0)
                wait_until(lambda: proxy.leader_by_status() is None, 5, "the loss", every=0.02)
                wait_until(lambda: proxy.leader_by_status() is not None, 10, "the same node again")
                all_ask_on(asking)
                quiet.sendall(b"GET /v1/sys/health HTTP/1.1\r\nHost: v\r\n\r\n")
                assert quiet.recv(65536).startswith(b"HTTP/1.1 200 ")
        status = proxy.status()
        assert status["epoch"] == 2
        assert [failover["from"] == failover["to"] for failover in status["failovers"] if failover["cause"] != "start"] == [True]
        if mode == "http":
            assert [client.errors for client in asking] == [[]] * len(asking)


@pytest.mark.parametrize("listen", ["127.0.0.1", "0.0.0.0"])
def test_a_node_that_is_our_own_listener_is_refused(command, listen):
    done = command("run", "--listen", f"{listen}:8200", "--admin", "127.0.0.1:0", "--mode", "http", "http://127.0.0.1:8200")
    assert done.returncode == 2, done
    assert "http://127.0.0.1:8200 is our own listen address" in done.stderr


def test_a_name_that_leads_to_our_own_listener_is_refused(cluster, tmp_path):
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.1 localhost vault.test\n")
    (port,) = free_ports(1)
    words = ["--listen", f"127.0.0.1:{port}", "--admin", "127.0.0.1:0", "--mode", "http"]
    looped = Bellwether(tmp_path, [*words, *cluster().urls, f"http://vault.test:{port}"], wrapper=own_files({"/etc/hosts": hosts}))
    try:
        assert looped.process.wait(20) == 1
        assert f"vault.test leads to 127.0.0.1:{port}, where we listen ourselves" in looped.log()
    finally:
        looped.end()


@pytest.fixture
def mute_node():
    """The URL of a node that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.mark.parametrize("signals", [[signal.SIGTERM], [signal.SIGHUP, signal.SIGTERM]], ids=["term", "hup_and_term"])
def test_it_can_be_ended_before_the_first_probe_is_answered(mute_node, tmp_path, signals):
    with Bellwether(tmp_path, [*LOOPBACK, mute_node]) as proxy:
        assert proxy.address
        for number in signals:
            proxy.process.send(number)
            if number == signal.SIGHUP:
                wait_until(lambda: proxy.events("config_reloaded"), 10, "the reload")
        assert proxy.process.wait(10) == 0
        assert len(proxy.events("config_reloaded")) == len(signals) - 1


@pytest.mark.parametrize("content", ["{ broken", '{"listen": "127.0.0.1:1", "nodes": ["http://127.0.0.1:1"]}', None],
                         ids=["broken", "leads_to_ourselves", "gone"])
def test_hup_changes_nothing_when_the_file_is_no_good(cluster, tmp_path, content):
    sim = cluster()
    file = tmp_path / "bellwether.json"
    file.write_text(json.dumps({"listen": {"address": "127.0.0.1:0", "mode": "http"}, "admin": "127.0.0.1:0",
                                "nodes": sim.urls}))
    with Bellwether(tmp_path, ["-f", file]) as proxy:
        proxy.wait_ready()
        leader = proxy.leader_by_status()
        with clients(proxy, sim, {"kept": 1}) as asking:
            all_ask_on(asking)
            if content is None:
                file.unlink()
            else:
                file.write_text(content)
            proxy.process.send(signal.SIGHUP)
            wait_until(lambda: proxy.events("config_refused"), 10, "the error")
            all_ask_on(asking)
        assert [client.errors for client in asking] == [[]] * len(asking)
        assert proxy.leader_by_status() == leader
        assert proxy.status()["epoch"] == 1


def test_a_name_that_has_no_address_for_a_while_and_then_another_is_followed(cluster, tmp_path):
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.1 localhost\n")
    (port,) = free_ports(1)
    first = cluster("--nodes", "1", "--address", f"127.0.1.1:{port}")
    # Who asks for more than the hosts file is answered with silence: no wait for servers that are not there.
    with Bellwether(tmp_path, [*LOOPBACK, "--mode", "http", "--fall", "2", f"http://vault.test:{port}"], wrapper=own_files({"/etc/hosts": hosts}),
                    env={"RES_OPTIONS": "timeout:1 attempts:1"}) as proxy:
        wait_until(lambda: proxy.events("node_unresolved"), 20, "the name to be unknown")
        assert not proxy.is_ready()
        hosts.write_text("127.0.0.1 localhost\n127.0.1.1 vault.test\n")
        proxy.wait_ready()

        hosts.write_text("127.0.0.1 localhost\n")
        first.kill(0)
        wait_until(lambda: proxy.leader_by_status() is None, 10, "the loss")
        first.restart(0)
        wait_until(proxy.is_ready, 20, "the node to be found where it was last, though its name says nothing")

        first.kill(0)
        wait_until(lambda: proxy.leader_by_status() is None, 10, "the loss")
        cluster("--nodes", "1", "--address", f"127.0.1.2:{port}")
        hosts.write_text("127.0.0.1 localhost\n127.0.1.2 vault.test\n")
        wait_until(proxy.is_ready, 60, "the node to be found at its new address")
        told = [line.fields["address"] for line in proxy.events("node_address_changed")]
        assert told == [f"127.0.1.1:{port}", f"127.0.1.2:{port}"]
        assert len(proxy.status()["nodes"]) == 1


HEALTH = b'{"initialized":true,"sealed":false,"standby":false,"version":"2.6.2","cluster_id":"c1"}'
V2 = b"\r\n\r\n\0\r\nQUIT\n"


@pytest.fixture
def header_keeper():
    """An active node that keeps what came before each connection's first request: its address and that list."""
    headers = []

    class Answering(socketserver.BaseRequestHandler):
        def handle(self):
            got = b""
            while part := self.request.recv(65536):
                got += part
                while b"\r\n\r\n" in got[len(V2):]:
                    before, _, _ = got.partition(b"GET ")
                    if before:
                        headers.append(before)
                    got = b""
                    self.request.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
                                         % (len(HEALTH), HEALTH))

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Answering) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", headers
        server.shutdown()


@pytest.mark.parametrize("mode", ["tcp", "http"])
def test_with_send_proxy_probes_and_data_carry_a_header_and_without_it_neither(header_keeper, tmp_path, mode):
    url, headers = header_keeper
    for version in ("v2", "none"):
        headers.clear()
        with Bellwether(tmp_path, [*LOOPBACK, "--mode", mode, "--send-proxy", version, url], name=version) as proxy:
            proxy.wait_ready()
            probes = list(headers)
            assert request(f"http://{proxy.address}/v1/secret/data/x").status == 200
        if version == "none":
            assert headers == []
            continue
        # Version 2: the thirteenth byte is 0x20 for LOCAL, 0x21 for a client's address.
        assert probes and all(each == V2 + b"\x20\0\0\0" for each in probes), probes
        clients_own = [each for each in headers if each[12] == 0x21]
        assert len(clients_own) == 1 and clients_own[0][16:20] == socket.inet_aton("127.0.0.1"), headers
