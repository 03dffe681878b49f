"""The clock of an election: whose 200 counts."""

import http.server
import threading
import types

import pytest

from house.waiting import wait_until
from nodes_watch import NodesWatch


class _Node(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.server.asked += 1
        self.send_response(self.server.code)
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.fixture
def nodes():
    """Two, by index, that say what `code` says."""
    servers = []
    for code in (200, 429):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Node)
        server.daemon_threads = True
        server.code, server.asked = code, 0
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
    yield servers
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def watch(nodes):
    cluster = types.SimpleNamespace(tls=None, nodes=[
        types.SimpleNamespace(index=i, url=f"http://127.0.0.1:{server.server_port}") for i, server in enumerate(nodes)])
    made = NodesWatch(cluster, old=0)
    made.begin()
    yield made
    made.stop()


def test_the_old_leader_does_not_claim_by_going_on(nodes, watch):
    wait_until(lambda: nodes[0].asked >= 5, 10, "the old leader to be asked")
    assert watch.first_claim() is None


def test_another_node_claims_with_its_first_200(nodes, watch):
    nodes[1].code = 200
    assert wait_until(watch.first_claim, 10, "a claim")[0] == 1


def test_the_old_leader_may_be_elected_again(nodes, watch):
    nodes[0].code = 429
    before = nodes[0].asked
    wait_until(lambda: nodes[0].asked >= before + 2, 10, "the old leader to deny")
    nodes[0].code = 200
    assert wait_until(watch.first_claim, 10, "a claim")[0] == 0
