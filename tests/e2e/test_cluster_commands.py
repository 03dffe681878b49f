"""What the commands make of the answers of a process with several clusters, and how they name one of these."""

import contextlib
import json
import os
import socketserver
import threading
from http.server import BaseHTTPRequestHandler

import pytest

from house.bellwether import LOOPBACK, Bellwether


def status_of(cluster, leader):
    led = leader and {"name": leader, "url": "http://a:1", "epoch": 3, "since": "2026-11-21T03:42:00.123Z", "since_seconds": 9}
    return {"cluster": cluster, "leader": led, "epoch": 3, "nodes": [], "leaderless_because": None if led else "nobody answers",
            "failovers": []}


class Clusters:
    """The admin address or the control socket of a process with the clusters east and west, as far as commands ask it."""

    def __init__(self):
        self.leaders = {"east": "n1", "west": "n2"}
        self.orders = []

    def answer(self, method, path):
        if method == "POST":
            self.orders.append(path)
            return (200, {}) if path.startswith("/clusters/") else (400, {"error": "there are several clusters (east, west)"})
        prefix, _, rest = path.removeprefix("/clusters/").partition("/")
        one = path.startswith("/clusters/")
        if one and prefix not in self.leaders:
            return 404, {"error": f'no cluster is named "{prefix}"; there are east, west'}
        each = [status_of(name, leader) for name, leader in self.leaders.items() if not one or name == prefix]
        if (rest if one else path.removeprefix("/")) == "readyz":
            ready = any(status["leader"] for status in each)
            return (200, {"ready": True}) if ready else (503, {"ready": False, "reason": "nobody leads"})
        return 200, each[0] if one else {"clusters": each}

    @contextlib.contextmanager
    def serving(self, server_class, address):
        clusters = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):  # pylint: disable=invalid-name
                status, body = clusters.answer(self.command, self.path)
                text = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_POST = do_GET

            def log_message(self, *_):
                pass

        with server_class(address, Handler) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            try:
                yield server.server_address
            finally:
                server.shutdown()
                thread.join()


@pytest.fixture
def clusters():
    return Clusters()


@pytest.fixture
def admin(clusters):
    with clusters.serving(socketserver.TCPServer, ("127.0.0.1", 0)) as address:
        yield f"{address[0]}:{address[1]}"


@pytest.fixture
def control(clusters, tmp_path):
    with clusters.serving(socketserver.UnixStreamServer, str(tmp_path / "control.sock")) as address:
        yield address


def test_status_shows_all_clusters_and_fails_if_one_has_no_leader(command, admin, clusters):
    done = command("status", "--admin", admin)
    assert done.returncode == 0, done
    assert done.stdout.index("cluster east\nn1 leads") < done.stdout.index("cluster west\nn2 leads")
    clusters.leaders["west"] = None
    assert command("status", "--admin", admin).returncode == 1
    done = command("status", "--admin", admin, "--cluster", "east")
    assert done.returncode == 0, done
    assert done.stdout.startswith("n1 leads")
    assert command("status", "--admin", admin, env={**os.environ, "BELLWETHER_CLUSTER": "west"}).returncode == 1


def test_failovers_stand_under_the_names_of_the_clusters(command, admin):
    done = command("failovers", "--admin", admin)
    assert done.stdout == "cluster east\nno failover yet\n\ncluster west\nno failover yet\n"
    assert command("failovers", "--admin", admin, "--cluster", "east").stdout == "no failover yet\n"


def test_wait_leader_waits_for_all_clusters_or_for_the_named_one(command, admin, clusters):
    assert command("wait-leader", "--admin", admin).stdout == "east: n1\nwest: n2\n"
    clusters.leaders["west"] = None
    done = command("wait-leader", "--admin", admin, "200ms")
    assert (done.returncode, done.stdout) == (1, "")
    assert "west: no node leads: nobody answers" in done.stderr
    said = json.loads(command("wait-leader", "--admin", admin, "--json", "200ms").stdout)
    assert said["clusters"] == [{"cluster": "east", "leader": "n1"}, {"cluster": "west", "leader": None}]
    assert said["error"] == "west: no node leads: nobody answers"
    assert command("wait-leader", "--admin", admin, "--cluster", "east").stdout == "n1\n"


def test_healthcheck_asks_the_process_or_the_named_cluster(command, admin, clusters):
    clusters.leaders["west"] = None
    assert command("healthcheck", "--admin", admin).returncode == 0
    done = command("healthcheck", "--admin", admin, "--cluster", "west")
    assert done.returncode == 1
    assert "nobody leads" in done.stderr


@pytest.mark.parametrize("name", ["status", "failovers", "ambiguous", "healthcheck"])
def test_an_unknown_cluster_is_told_with_those_that_there_are(command, admin, name):
    done = command(name, "--admin", admin, "--cluster", "north")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f'bellwether {name}: no cluster is named "north"; there are east, west\n'


@pytest.mark.parametrize("words, target", [
    (["node", "n 1", "drain"], "/node/n%201/drain"), (["pause"], "/pause?for=1m"), (["resume"], "/resume"), (["repin"], "/repin")])
def test_orders_are_for_the_named_cluster_and_refused_without_a_name(command, control, clusters, words, target):
    done = command(*words, "--control", control, "--cluster", "eu/1")
    assert done.returncode == 0, done
    assert clusters.orders == ["/clusters/eu%2F1" + target]
    done = command(*words, "--control", control)
    assert done.returncode == 1
    assert done.stderr == f"bellwether {words[0]}: there are several clusters (east, west)\n"


def test_a_process_with_one_cluster_without_a_name_says_so(command, tmp_path):
    with Bellwether(tmp_path, [*LOOPBACK, "http://127.0.0.1:1"]) as lonely:
        done = command("status", "--admin", lonely.admin.split("//")[1], "--cluster", "east")
        assert done.returncode == 1
        assert 'no cluster is named "east": this process has one cluster, without a name' in done.stderr


def test_the_variable_of_the_cluster_is_no_mistake_of_run(command):
    done = command("check", "http://127.0.0.1:1", env={**os.environ, "BELLWETHER_CLUSTER": "east"})
    assert (done.returncode, done.stderr) == (0, "")
