"""One line for each request of http and redirect listeners, in both formats, and counters that add up with them."""

import collections
import http.client
import json
import socket
import threading

import pytest

from house.bellwether import LOOPBACK, Bellwether
from house.http_site import HttpSite
from house.sim_cluster import SimCluster
from house.waiting import wait_until
from house.web import connection, request, send

TOKEN = "s.VerySecretTokenOfSomebody"
PATH = "/v1/secret/data/very-secret-path"
WORDS = ["listener", "client", "method", "path", "status", "outcome", "reason", "class", "node", "epoch", "row", "sends",
         "held_ms", "upstream_ms", "total_ms", "bytes_up", "bytes_down", "end", "id"]
NUMBERS = {"status", "epoch", "sends", "held_ms", "upstream_ms", "total_ms", "bytes_up", "bytes_down"}
OUTCOMES = "bellwether_http_outcomes_total"


def in_words(log):
    """The request lines of a log in either format, as dictionaries of words."""
    lines = []
    for line in log.splitlines():
        if line.startswith("{"):
            fields = json.loads(line)
            if fields.pop("event") == "request":
                lines.append({key: str(value) for key, value in fields.items() if key not in ("time", "level")})
        elif " request " in line:
            lines.append(dict(word.split("=", 1) for word in line.split(" request ", 1)[1].split(" ")))
    return lines


@pytest.fixture(params=["text", "json"])
def log_format(request):
    return request.param


def ask(address, path=PATH):
    return request(f"http://{address}{path}?list=true&token={TOKEN}", "PUT", b'{"data": 1}', {"X-Vault-Token": TOKEN})


def test_a_request_is_one_line_without_token_path_and_client(sim, tmp_path, log_format):
    words = [*LOOPBACK, "--mode", "http", "--log-requests", "--log-format", log_format, *sim.urls]
    with Bellwether(tmp_path, words) as proxy:
        wait_until(lambda: "leader_changed" in proxy.log(), 20, "a leader")
        address = address_of(proxy)
        assert ask(address).status == 403
        lines = wait_until(lambda: in_words(proxy.log()), 10, "a line")
        assert len(lines) == 1
        line = lines[0]
        assert list(line) == WORDS
        assert all(line[word].lstrip("-").isdigit() for word in NUMBERS), line
        assert (line["method"], line["status"], line["outcome"], line["end"]) == ("PUT", "403", "ok", "--")
        assert (line["client"], line["path"], line["reason"], line["class"]) == ("-", "-", "-", "data")
        assert (line["row"], line["sends"], line["epoch"]) == ("answered", "1", "1")
        assert int(line["bytes_up"]) > 100 and int(line["bytes_down"]) > 50
        assert int(line["total_ms"]) >= int(line["upstream_ms"]) >= 0
        assert TOKEN not in proxy.log() and "very-secret" not in proxy.log() and "list=" not in proxy.log()


def address_of(proxy):
    for line in proxy.log().splitlines():
        if "listening" in line and "http" in line:
            return json.loads(line)["address"] if line.startswith("{") else proxy.address
    raise AssertionError(proxy.log())


def test_paths_are_logged_on_request_and_queries_never(sim, tmp_path):
    words = [*LOOPBACK, "--mode", "http", "--log-requests", "--log-paths", *sim.urls]
    with Bellwether(tmp_path, words) as proxy:
        ask(proxy.wait_ready().address)
        line = wait_until(lambda: in_words(proxy.log()), 10, "a line")[0]
        assert line["path"] == PATH
        assert TOKEN not in proxy.log() and "list=" not in proxy.log()


def test_a_redirect_is_a_line_too(sim, tmp_path):
    with Bellwether(tmp_path, [*LOOPBACK, "--mode", "redirect", "--log-requests", *sim.urls]) as proxy:
        assert ask(proxy.wait_ready().address).status == 307
        line = wait_until(lambda: in_words(proxy.log()), 10, "a line")[0]
        assert (line["status"], line["outcome"], line["sends"], line["end"]) == ("307", "ok", "0", "--")
        assert line["node"] == proxy.leader_by_status()


def test_without_the_option_there_is_no_line(sim, tmp_path):
    with Bellwether(tmp_path, [*LOOPBACK, "--mode", "http", *sim.urls]) as proxy:
        ask(proxy.wait_ready().address)
        wait_until(lambda: proxy.metrics().sum(OUTCOMES) == 1, 10, "the request to be counted")
        assert in_words(proxy.log()) == []


def test_what_breaks_off_says_who_broke_it(tmp_path):
    def breaks_off(conn, _):
        conn.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
        conn.reset()

    with HttpSite(tmp_path, {"/v1/cut": breaks_off}, words=["--log-requests"]) as site:
        site.ask(b"GET /v1/cut HTTP/1.1\r\nHost: v\r\n\r\n")
        site.ask(b"GET /v1/cut\r\n\r\n")
        lines = wait_until(lambda: (found := in_words(site.proxy.log())) and len(found) == 2 and found, 10, "two lines")
        assert [(line["end"], line["outcome"], line["status"]) for line in lines] == [
            ("SD", "cut", "200"), ("PR", "rejected", "400")]
        assert lines[1]["reason"] == "request_line"


class Client(threading.Thread):
    """One kept-alive connection that asks until it is told to stop."""

    def __init__(self, address, token):
        super().__init__()
        self._url, self._token = f"http://{address}", token
        self.finish = threading.Event()
        self.answered = collections.Counter()

    def run(self):
        conn = None
        while not self.finish.is_set():
            try:
                conn = conn or connection(self._url, timeout=30)
                answer = send(conn, "GET", "/v1/sys/mounts", None, {"X-Vault-Token": self._token})
                self.answered[answer.status] += 1
            except (OSError, http.client.HTTPException):
                conn = None
        if conn is not None:
            conn.close()


@pytest.fixture
def slow_sim(tmp_path):
    """Nobody leads for a second and a half after a demoted leader has said that it does not lead."""
    words = ["--demotion-block", "500ms", "--election", "2s"]
    with SimCluster.running(tmp_path / "sim", tls=False, words=words) as made:
        yield made


def test_across_step_downs_every_request_ends_in_one_outcome_and_one_line(slow_sim, tmp_path):
    with Bellwether(tmp_path, [*LOOPBACK, "--mode", "http", "--log-requests", *slow_sim.urls]) as proxy:
        proxy.wait_ready()
        clients = [Client(proxy.address, slow_sim.token) for _ in range(4)]
        for client in clients:
            client.start()
        for _ in range(2):
            old = slow_sim.leader()
            slow_sim.step_down(old)
            leave_while_held(proxy, clients)
            slow_sim.wait_for_leader(other_than=old)
            seen = sum(sum(client.answered.values()) for client in clients)
            wait_until(lambda: sum(sum(client.answered.values()) for client in clients) > seen + 40, 30, "clients to go on")
        for client in clients:
            client.finish.set()
        for client in clients:
            client.join(60)
        raw(proxy, b"GET / HTTP/1.1\r\n\r\n")
        wait_until(lambda: proxy.metrics().sum("bellwether_open_connections", side="client") == 0, 20, "all clients to be gone")
        scrape = proxy.metrics()
        by_outcome = {labels["outcome"]: int(value) for labels, value in scrape.all(OUTCOMES)}
        received, now = scrape.sum("bellwether_http_received_total"), scrape.sum("bellwether_http_requests")
        assert now == 0
        assert sum(by_outcome.values()) == received - now
        assert by_outcome["ok"] >= sum(client.answered[200] for client in clients)
        assert by_outcome["rejected"] == scrape.sum("bellwether_http_rejected_total") == 1
        assert scrape.sum("bellwether_http_held_total") >= 2 * (len(clients) + 1)
        assert by_outcome["client_gone"] >= 2
        assert scrape.sum("bellwether_log_dropped_lines_total") == 0
        told = wait_until(lambda: (found := in_words(proxy.log())) and len(found) == received and found, 10, "all lines")
        assert collections.Counter(line["outcome"] for line in told) == {k: v for k, v in by_outcome.items() if v}
        assert sum(int(line["sends"]) > 1 for line in told) <= scrape.sum("bellwether_retries_total")


def leave_while_held(proxy, others):
    def wait_for_held(count, what):
        wait_until(lambda: proxy.metrics().sum("bellwether_held_requests") == count, 20, what)

    wait_for_held(len(others), "a request of each client to be held")
    with raw_connection(proxy) as sock:
        sock.sendall(b"GET /v1/sys/mounts HTTP/1.1\r\nHost: v\r\n\r\n")
        wait_for_held(len(others) + 1, "one more")


def raw_connection(proxy):
    host, port = proxy.address.rsplit(":", 1)
    return socket.create_connection((host, int(port)), timeout=10)


def raw(proxy, data):
    with raw_connection(proxy) as sock:
        sock.sendall(data)
        while sock.recv(65536):
            pass
