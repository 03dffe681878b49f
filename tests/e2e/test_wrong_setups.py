"""Wrong set-ups started with `run`: the first screen of the log and `status` name the cause and the way out.

With BELLWETHER_TEXTS=FILE the texts are written there, for reading."""

import contextlib
import json
import os
import socket
import threading

import pytest

from house.bellwether import LOOPBACK, Bellwether
from house.certificates import COMMON_NAME, Certificates
from house.http_node import Conn, Gone, path_of
from house.ports import free_ports
from house.sim_cluster import SimCluster
from house.waiting import wait_until
from house.web import request

FIRST_SCREEN = 40


@contextlib.contextmanager
def served(serve, address=("127.0.0.1", 0)):
    """A TCP server whose connections are given to serve(sock), each in a thread; yields host:port."""
    with socket.create_server(address, backlog=64) as listening:
        def accept():
            while True:
                try:
                    sock, _ = listening.accept()
                except OSError:
                    return
                threading.Thread(target=guarded, args=(sock,), daemon=True).start()

        def guarded(sock):
            try:
                serve(sock)
            except (Gone, OSError, ValueError):
                sock.close()

        threading.Thread(target=accept, daemon=True).start()
        yield "%s:%d" % listening.getsockname()[:2]


def answering(status, body, kind="application/json"):
    """Every request is answered so."""
    def serve(sock):
        conn = Conn(sock)
        while True:
            assert path_of(conn.head())
            conn.send(b"HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s"
                      % (status.encode(), kind.encode(), len(body), body))

    return serve


def forwarding(target):
    """Bytes both ways, as a balancer does; target(first bytes) says where to."""
    def serve(sock):
        host, port = target(sock.recv(4096, socket.MSG_PEEK))
        with socket.create_connection((host, port)) as node:
            def pump(source, sink):
                with contextlib.suppress(OSError):
                    while data := source.recv(65536):
                        sink.sendall(data)
                    sink.shutdown(socket.SHUT_WR)

            back = threading.Thread(target=pump, args=(node, sock), daemon=True)
            back.start()
            pump(sock, node)
            back.join(5)

    return serve


class Stand:
    """One wrong set-up, running: its log and what `status` says."""

    def __init__(self, proxy, command, name):
        self.proxy, self._command, self._name = proxy, command, name

    def expect(self, event, *words):
        """Within the first screen there is a WARN of that event with all words; returns that screen."""
        def found():
            lines = self.proxy.log().replace('\\"', '"').splitlines()[:FIRST_SCREEN]
            return [line for line in lines if f" WARN  {event} " in line and all(word in line for word in words)]

        wait_until(found, 30, f"{event} with {words} in the log")
        status = self.status()
        for word in words:
            assert word in status.stdout, (word, status.stdout)
        self._keep(status.stdout)
        return status

    def status(self):
        return self._command("status", "--admin", self.proxy.admin.split("//")[1])

    def _keep(self, status):
        if file := os.environ.get("BELLWETHER_TEXTS"):
            with open(file, "a", encoding="utf-8") as out:
                screen = "\n".join(self.proxy.log().splitlines()[:FIRST_SCREEN])
                out.write(f"=== {self._name}\n--- log\n{screen}\n--- status\n{status}\n")

    def expect_nobody_leads(self, *words):
        """... and /readyz says the same."""
        status = self.expect("no_leader", *words)
        ready = self.proxy.get("/readyz")
        assert ready.status == 503
        for word in words:
            assert word in ready.text().replace('\\"', '"'), (word, ready.text())
        return status


@pytest.fixture
def stand(tmp_path, command, request):
    made = []

    def start(*words):
        made.append(Bellwether(tmp_path, [*LOOPBACK, *map(str, words)]))
        return Stand(made[-1], command, request.node.name)

    yield start
    for each in made:
        each.end()
        each.process.expect_no_sanitizer_report()


@pytest.fixture(scope="module")
def tls_cluster(tmp_path_factory):
    made = SimCluster(tmp_path_factory.mktemp("tls_sim"))
    yield made.start()
    made.end()


def test_wrong_ca(tls_cluster, stand, tmp_path):
    other = Certificates(tmp_path / "other")
    stand("--ca-file", other.ca_file, "--server-name", COMMON_NAME, *tls_cluster.urls).expect_nobody_leads(
        "none of the 3 nodes answers", "not among the trusted CAs", "set ca_file (--ca-file)")


def test_no_ca(tls_cluster, stand):
    stand("--server-name", COMMON_NAME, *tls_cluster.urls).expect_nobody_leads(
        "not among the trusted CAs", "name the CA that issued it with ca_file")


def test_wrong_server_name(tls_cluster, stand):
    stand("--ca-file", tls_cluster.tls.ca_file, *tls_cluster.urls).expect_nobody_leads(
        'is not valid for "127.0.0.1"', COMMON_NAME, "--server-name")


def test_wrong_port(stand):
    (port,) = free_ports(1)
    stand(f"http://127.0.0.1:{port}").expect_nobody_leads(
        "the only node does not answer", "connection refused", "is the port right?")


def test_unknown_host(stand):
    stand("https://vault1.bellwether.invalid:8200").expect_nobody_leads(
        "vault1.bellwether.invalid", "cannot resolve", "DNS")


def test_cluster_port(stand):
    with served(lambda sock: sock.close(), ("127.0.81.1", 8201)) as address:
        stand(f"https://{address}").expect_nobody_leads("8201", "cluster_addr", "8200")


def test_http_for_https(tls_cluster, stand):
    stand(*[url.replace("https://", "http://") for url in tls_cluster.urls]).expect_nobody_leads(
        "none of the 3 nodes answers", "https://")


def test_http_for_https_on_a_go_server(stand):
    """Vault and OpenBao themselves answer so (Go's net/http)."""
    with served(answering("400 Bad Request", b"Client sent an HTTP request to an HTTPS server.\n", "text/plain")) as address:
        stand(f"http://{address}").expect_nobody_leads("HTTP request to an HTTPS server", "write https://")


def test_https_for_http(sim, stand):
    stand(*[url.replace("http://", "https://") for url in sim.urls]).expect_nobody_leads(
        "does not speak TLS", "write http://")


def test_listener_that_wants_forwarded_for(stand):
    words = b'{"errors":["missing x-forwarded-for header and configured to reject when not present"]}'
    with served(answering("400 Bad Request", words)) as address:
        stand(f"http://{address}").expect_nobody_leads("missing x-forwarded-for header", "--mode http")


def test_another_clusters_node(sim, stand):
    sim.make_foreign(2)
    running = stand(*sim.urls)
    status = running.expect("foreign_node", "belongs to another cluster", "bellwether repin")
    assert status.returncode == 0, status


def health(**fields):
    return json.dumps({"initialized": True, "sealed": False, "standby": True, "version": "2.6.2", **fields}).encode()


def test_all_nodes_sealed(stand):
    with served(answering("503 Service Unavailable", health(sealed=True))) as one, \
            served(answering("503 Service Unavailable", health(sealed=True))) as two:
        stand(f"http://{one}", f"http://{two}").expect_nobody_leads("all 2 nodes are sealed", "operator unseal")


def test_not_initialized(stand):
    with served(answering("501 Not Implemented", health(initialized=False, sealed=True))) as address:
        stand(f"http://{address}").expect_nobody_leads("the cluster is not initialized", "operator init")


def test_not_vault(stand):
    with served(answering("200 OK", b"<html>It works!</html>", "text/html")) as address:
        stand(f"http://{address}").expect_nobody_leads("does not answer as Vault or OpenBao does", "It works!", "web server")


def test_a_node_that_never_answers(stand):
    with served(lambda sock: sock.recv(1 << 20) and threading.Event().wait(30)) as address:
        stand("--timeout-check", "500ms", f"http://{address}").expect_nobody_leads(
            "no answer within 500ms", "accepts connections but does not answer")


def test_leader_that_is_not_in_the_list(sim, stand):
    leader = sim.leader()
    rest = [url for i, url in enumerate(sim.urls) if i != leader]
    stand(*rest).expect_nobody_leads("none says that it leads", sim.urls[leader], "not one of the nodes")


def test_one_server_by_name_and_by_address(sim, stand, command):
    twice = sim.urls[0].replace("127.0.0.1", "localhost")
    urls = [*sim.urls, twice]
    running = stand(*urls)
    name, second = urls[0].split("//")[1], twice.split("//")[1]
    running.expect("node_named_twice", name, second)
    running.proxy.wait_ready()
    status = running.proxy.status()
    assert status["takeover_candidates"] == 2
    assert [line for line in running.proxy.log().splitlines() if " conflict " in line] == []
    for words in (["check"], ["check", "--live"]):
        done = command(*words, *urls)
        assert done.returncode == 1, done
        said = [line for line in (done.stdout + done.stderr).splitlines() if name in line and second in line]
        assert len(said) == 1 and "one server" in said[0], done


def test_the_name_of_a_balancer_among_the_nodes(sim, stand, command):
    def leader(_first):
        host, port = sim.urls[sim.leader()].split("//")[1].split(":")
        return host, int(port)

    with served(forwarding(leader)) as balancer:
        urls = [*sim.urls, f"http://{balancer}"]
        running = stand(*urls)
        running.expect("node_named_twice", balancer, "api_addr")
        running.proxy.wait_ready()
        assert running.proxy.metrics().sum("bellwether_conflicts_total") == 0
        assert running.proxy.status()["takeover_candidates"] == 2
        done = command("check", "--live", *urls)
        assert done.returncode == 1, done
        assert any(balancer in line and "one server" in line for line in done.stdout.splitlines()), done
        old = sim.leader()
        sim.step_down(old)
        wait_until(lambda: sim.leader() not in (None, old), 20, "a new leader")
        new = sim.urls[sim.leader()].split("//")[1]
        wait_until(lambda: running.proxy.leader_by_status() in (new, balancer), 20, "it to be followed")
        assert request(f"http://{running.proxy.address}/v1/sys/health").status == 200
        assert running.proxy.metrics().sum("bellwether_conflicts_total") == 0


def test_the_name_of_a_balancer_that_spreads_its_connections(sim, stand):
    """It leads probes to the leader and questions to a standby: what it states contradicts itself."""
    def target(first):
        follower = next(i for i in range(len(sim.urls)) if i != sim.leader())
        host, port = sim.urls[follower if b"/v1/sys/leader" in first else sim.leader()].split("//")[1].split(":")
        return host, int(port)

    with served(forwarding(target)) as balancer:
        running = stand(*sim.urls, f"http://{balancer}")
        running.proxy.wait_ready()
        running.expect("node_named_twice", balancer, "as the name of a balancer does")
        assert request(f"http://{running.proxy.address}/v1/sys/health").status == 200
        assert running.proxy.status()["takeover_candidates"] == 2
        assert running.proxy.metrics().sum("bellwether_conflicts_total") == 0


def test_the_warning_comes_again_and_ends_with_a_leader(sim, stand):
    running = stand(*sim.urls)
    running.proxy.wait_ready()
    for node in sim.nodes:
        sim.kill(node.index)
    running.expect_nobody_leads("none of the 3 nodes answers", "connection refused")
    sim.heal()
    running.proxy.wait_ready()
    assert running.status().returncode == 0
