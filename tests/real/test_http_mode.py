"""http mode, TLS on both sides: requests follow the leader, and a planned change of leader is invisible to clients."""

import http.client
import json
import threading
import time

import pytest

from clients import CliClient, HvacClient
from house.bellwether import LOOPBACK, Bellwether
from house.certificates import Certificates
from house.waiting import wait_until
from house.web import Tls, connection, request, send
from scenario import to_nodes
from server import HOW_TO_GET_ONE, find_server


@pytest.fixture(scope="module")
def front(tmp_path_factory):
    """What clients trust: a certificate of Bellwether's own, and its files."""
    certificates = Certificates(tmp_path_factory.mktemp("front"), common_name="bellwether.bellwether.test")
    cert, key = certificates.issue("bellwether")
    return Tls(certificates.ca_file, certificates.common_name), ["--tls-cert", cert, "--tls-key", key]


@pytest.fixture
def http_proxy(cluster, front, tmp_path, request):
    words = [*LOOPBACK, "--mode", "http", *front[1], *to_nodes(cluster)]
    with Bellwether(tmp_path, words) as made:
        yield made.wait_ready()
        report = getattr(request.node, "report_of_call", None)
        if report is not None and report.failed:
            print(made.log()[-8000:])


class Writer(threading.Thread):
    """One kept-alive connection that writes numbered versions with check-and-set and reads each back."""

    def __init__(self, proxy, tls, token, key):
        super().__init__()
        self._address, self._tls, self._token, self._path = proxy.address, tls, token, f"/v1/secret/data/{key}"
        self.finish = threading.Event()
        self.acknowledged = 0  # the newest version that the server confirmed
        self.errors = []
        self.stale = []
        self._connection = None

    def call(self, method, body=None):
        try:
            if self._connection is None or self._connection.sock is None:
                self._connection = connection(f"https://{self._address}", self._tls, 30)
            answer = send(self._connection, method, self._path, body, {"X-Vault-Token": self._token})
            return answer.status, json.loads(answer.body or b"{}")
        except (OSError, http.client.HTTPException) as broken:
            self._connection = None
            return 0, {"errors": [str(broken)]}

    def close(self):
        if self._connection is not None:
            self._connection.close()

    def write(self):
        status, answer = self.call("POST", {"options": {"cas": self.acknowledged},
                                            "data": {"number": self.acknowledged + 1}})
        if status == 200:
            assert answer["data"]["version"] == self.acknowledged + 1, answer
            self.acknowledged += 1
        else:
            self.errors.append((status, answer))
            self.look_again()

    # After an error only the server knows whether it was written.
    def look_again(self):
        status, answer = self.call("GET")
        if status == 200:
            self.acknowledged = max(self.acknowledged, answer["data"]["data"]["number"])

    def read(self):
        status, answer = self.call("GET")
        if status != 200:
            self.errors.append((status, answer))
        elif answer["data"]["data"]["number"] < self.acknowledged:
            self.stale.append((answer["data"]["data"]["number"], self.acknowledged))

    def run(self):
        while not self.finish.is_set():
            self.write()
            self.read()


@pytest.fixture
def writers(http_proxy, cluster, front, request):
    name = request.node.name.replace("[", "-").replace("]", "")
    made = [Writer(http_proxy, front[0], cluster.token, f"{name}-{number}") for number in range(4)]
    for writer in made:
        writer.start()
    wait_until(lambda: all(writer.acknowledged >= 3 for writer in made), 20, "all clients to write")
    yield made
    for writer in made:
        writer.finish.set()
    for writer in made:
        writer.join(60)
        writer.close()


def go_on(writers, seconds_each=20):
    """All of them write on for a while."""
    before = [writer.acknowledged for writer in writers]
    wait_until(lambda: all(writer.acknowledged >= old + 5 for writer, old in zip(writers, before)), seconds_each,
               "all clients to write on")


def finish(writers):
    for writer in writers:
        writer.finish.set()
    for writer in writers:
        writer.join(60)
    for writer in writers:
        status, answer = writer.call("GET")
        assert status == 200
        assert answer["data"]["data"]["number"] >= writer.acknowledged, "an acknowledged write was lost"
        assert answer["data"]["metadata"]["version"] == answer["data"]["data"]["number"], "a write was executed twice"


def test_hvac_and_curl_like_clients_write_read_and_list(http_proxy, cluster, front):
    client = HvacClient(f"https://{http_proxy.address}", front[0], cluster.token)
    client.put("by-hvac-http", "1")
    assert client.get("by-hvac-http") == "1"
    listed = request(f"https://{http_proxy.address}/v1/secret/metadata", "LIST", None, {"X-Vault-Token": cluster.token},
                     front[0], 10)
    assert listed.status == 200
    assert "by-hvac-http" in listed.json()["data"]["keys"]


def test_the_command_line_writes_and_reads(http_proxy, cluster, front):
    server = find_server()
    if server is None:
        pytest.skip("no bao or vault to run as command line client. " + HOW_TO_GET_ONE)
    cli = CliClient(server.path, f"https://{http_proxy.address}", front[0], cluster.token)
    cli.put("by-cli-http", "3")
    assert cli.get("by-cli-http") == "3"


def test_the_command_line_works_through_a_unix_socket(cluster, front, tmp_path):
    server = find_server()
    if server is None:
        pytest.skip("no bao or vault to run as command line client. " + HOW_TO_GET_ONE)
    path = tmp_path / "vault.sock"
    # The certificate is for other listeners: unix:// is plain HTTP.
    words = ["--listen", f"unix:{path}", "--admin", "127.0.0.1:0", "--mode", "http", *front[1], *to_nodes(cluster)]
    with Bellwether(tmp_path, words) as proxy:
        proxy.wait_ready()
        cli = CliClient(server.path, f"unix://{path}", front[0], cluster.token)
        cli.put("by-cli-unix", "4")
        assert cli.get("by-cli-unix") == "4"
        old = cluster.leader()
        cluster.step_down(old)
        cli.put("by-cli-unix", "5")
        assert cli.get("by-cli-unix") == "5"


@pytest.mark.parametrize("round_number", [1, 2])
def test_a_step_down_costs_clients_no_error_and_no_stale_read(cluster, writers, round_number):
    old = cluster.leader()
    cluster.step_down(old)
    cluster.wait_for_leader(other_than=old)
    go_on(writers)
    finish(writers)
    assert [error for writer in writers for error in writer.errors] == []
    assert [stale for writer in writers for stale in writer.stale] == []


def test_a_crash_costs_only_what_was_in_flight(cluster, writers):
    old = cluster.leader()
    begun = time.monotonic()
    cluster.kill(old)
    cluster.wait_for_leader(other_than=old)
    go_on(writers, 60)
    finish(writers)
    for writer in writers:
        assert len(writer.errors) <= 1, writer.errors
        assert writer.stale == []
    assert time.monotonic() - begun < 120


def test_what_may_have_been_executed_is_told_as_vault_tells_errors(cluster, writers, http_proxy):
    cluster.kill(cluster.leader())
    cluster.wait_for_leader()
    go_on(writers, 60)
    for status, answer in [error for writer in writers for error in writer.errors]:
        assert status == 502, (status, answer)
        assert answer["errors"], answer
    finish(writers)
    told = sum(len(writer.errors) for writer in writers)
    assert http_proxy.metrics().sum("bellwether_http_outcomes_total", outcome="ambiguous") == told
