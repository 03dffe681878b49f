"""http mode before a real cluster, TLS on both sides, asked by the clients that people use: what they can do, and what
they see of a step-down and of a crash."""

import gzip
import hashlib
import http.client
import io
import itertools
import os
import pathlib
import shutil
import subprocess
import tarfile
import threading
import time

import pytest

from clients import CliClient, HvacClient
from house.bellwether import LOOPBACK, Bellwether
from house.certificates import Certificates
from house.processes import Process
from house.waiting import wait_until
from house.web import Tls, connection, request
from scenario import to_nodes
from server import find_server

pytestmark = [pytest.mark.real_server, pytest.mark.parametrize("started_cluster", ["real"], indirect=True)]

_HERE = pathlib.Path(__file__).resolve().parent
_AMBIGUOUS = ("the connection to the node ended before it answered", "the node did not answer in time",
              "the leadership was lost", "Code: 502", "502")


class Front:
    """Bellwether in http mode with a certificate of its own, and the clients' settings for it."""

    def __init__(self, cluster, folder):
        certificates = Certificates(folder / "front", common_name="bellwether.bellwether.test")
        cert, key = certificates.issue("bellwether")
        self.tls = Tls(certificates.ca_file, certificates.common_name)
        words = [*LOOPBACK, "--mode", "http", "--tls-cert", cert, "--tls-key", key, *to_nodes(cluster)]
        self.proxy = Bellwether(folder, words).wait_ready()
        self.url = f"https://{self.proxy.address}"
        self.token = cluster.token
        settings = {"ADDR": self.url, "TOKEN": self.token, "CACERT": self.tls.ca_file,
                    "TLS_SERVER_NAME": self.tls.server_name}
        # Vault's own libraries send again on 5xx: nobody else's second try must hide an error of ours, nor cause one.
        self.env = {**os.environ, "HOME": str(folder), "VAULT_MAX_RETRIES": "0", "BAO_MAX_RETRIES": "0",
                    **{f"{prefix}_{key}": value for prefix in ("VAULT", "BAO") for key, value in settings.items()}}

    def call(self, method, path, body=None, timeout=40):
        return request(self.url + path, method, body, {"X-Vault-Token": self.token}, self.tls, timeout)

    def run(self, *words, timeout=60, stdin=None):
        done = subprocess.run([str(word) for word in words], env=self.env, capture_output=True, text=True,
                              timeout=timeout, check=False, input=stdin)
        if done.returncode != 0:
            raise ConnectionError(f"{words[0]} {' '.join(map(str, words[1:4]))}: {done.returncode}: "
                                  f"{done.stdout[-500:]} {done.stderr[-500:]}")
        return done.stdout


@pytest.fixture(scope="module")
def front_of(started_cluster, tmp_path_factory):
    made = Front(started_cluster, tmp_path_factory.mktemp("clients"))
    yield made
    made.proxy.end()
    made.proxy.process.expect_no_sanitizer_report()


@pytest.fixture
def front(front_of, cluster, request):
    front_of.proxy.wait_ready()
    yield front_of
    report = getattr(request.node, "report_of_call", None)
    if report is not None and report.failed:
        print(front_of.proxy.log()[-8000:])


# The clients' flows. Each takes a name of its own, so that none meets another.

def cli_kv(front, name):
    server = find_server().path
    front.run(server, "kv", "put", "-mount=secret", name, f"value={name}")
    assert front.run(server, "kv", "get", "-mount=secret", "-field=value", name).strip() == name
    assert name in front.run(server, "kv", "list", "-mount=secret").split()
    front.run(server, "kv", "delete", "-mount=secret", name)


def cli_wrapping(front, name):
    server = find_server().path
    front.run(server, "kv", "put", "-mount=secret", name, f"value={name}")
    wrapped = front.run(server, "read", "-wrap-ttl=120s", "-field=wrapping_token", f"secret/data/{name}").strip()
    assert name in front.run(server, "unwrap", wrapped)


def cli_login(front, name):
    server = find_server().path
    made = front.call("POST", f"/v1/auth/userpass/users/{name}", {"password": "tell-nobody", "policies": "default"})
    if made.status != 204:
        raise ConnectionError(f"{made}")
    token = front.run(server, "login", "-method=userpass", "-no-store", "-token-only", f"username={name}",
                      "password=tell-nobody").strip()
    assert f"userpass-{name}" in front.run(server, "token", "lookup", token)


def hvac_flow(front, name):
    client = HvacClient(front.url, front.tls, front.token)
    client.put(name, name)
    assert client.get(name) == name


def curl_list(front, name):
    answer = front.call("POST", f"/v1/secret/data/{name}", {"data": {"value": name}})
    if answer.status != 200:
        raise ConnectionError(f"{answer}")
    host, port = front.proxy.address.rsplit(":", 1)
    said = front.run("curl", "-sS", "--fail-with-body", "-X", "LIST", "--cacert", front.tls.ca_file, "--resolve",
                     f"{front.tls.server_name}:{port}:{host}", "-H", f"X-Vault-Token: {front.token}",
                     f"https://{front.tls.server_name}:{port}/v1/secret/metadata")
    assert f'"{name}"' in said


@pytest.fixture(scope="module")
def node_flow(tmp_path_factory):
    """The flow of node-vault; npm gets it from its registry, outside the repository."""
    if shutil.which("npm") is None:
        pytest.skip("no npm: install Node.js to run node-vault")
    folder = tmp_path_factory.mktemp("node")
    subprocess.run(["npm", "install", "--no-fund", "--no-audit", "node-vault"], cwd=folder, check=True, timeout=120,
                   capture_output=True)
    shutil.copy(_HERE / "node_client.js", folder)
    return lambda front, name: front.run("node", folder / "node_client.js", name)


@pytest.fixture(scope="module")
def go_flow(tmp_path_factory):
    """The flow of Vault's Go library; its sources come from the module proxy, outside the repository."""
    if shutil.which("go") is None:
        pytest.skip("no go: install Go to run the official client library")
    folder = tmp_path_factory.mktemp("go")
    shutil.copytree(_HERE / "go_client", folder, dirs_exist_ok=True)
    env = {**os.environ, "GOFLAGS": "-mod=mod"}
    for words in (["get", "github.com/hashicorp/vault/api@v1.23.0"], ["build", "-o", "go_client", "."]):
        subprocess.run(["go", *words], cwd=folder, env=env, check=True, timeout=400, capture_output=True)
    return lambda front, name: front.run(folder / "go_client", name)


@pytest.fixture
def flows(front, node_flow, go_flow):
    front.call("POST", "/v1/sys/auth/userpass", {"type": "userpass"})
    return {"cli-kv": cli_kv, "cli-wrapping": cli_wrapping, "cli-login": cli_login, "hvac": hvac_flow,
            "curl": curl_list, "node-vault": node_flow, "go": go_flow}


class Repeated(threading.Thread):
    """One client's flow, over and over."""

    _numbers = itertools.count()

    def __init__(self, name, flow, front):
        super().__init__(name=name, daemon=True)
        self._flow, self._front = flow, front
        self.finish = threading.Event()
        self.done = 0
        self.errors = []

    def run(self):
        while not self.finish.is_set():
            try:
                self._flow(self._front, f"{self.name}-{next(self._numbers)}")
                self.done += 1
            except Exception as error:  # judged by the test
                self.errors.append(f"{self.name}: {error}")


@pytest.fixture
def busy(flows, front):
    """All of them at once."""
    clients = [Repeated(name, flow, front) for name, flow in flows.items()]
    for client in clients:
        client.start()
    yield clients
    for client in clients:
        client.finish.set()
    for client in clients:
        client.join(90)


def go_on(clients, patience=120):
    before = [client.done for client in clients]
    wait_until(lambda: all(client.done >= old + 2 for client, old in zip(clients, before)), patience,
               f"each client to go on: {[(client.name, client.done, client.errors[-1:]) for client in clients]}")


def errors_of(clients):
    return [error for client in clients for error in client.errors]


def test_what_people_use_works(flows, front):
    for name, flow in flows.items():
        flow(front, f"{name}-once")


def may_have_acted(error):
    """Logins and unwrapping use up more than storage can tell: a node that is losing the lead may have carried them out
    before it refuses them, so they are not sent twice (src/vault/FACTS.md 3). An error names the client and its words."""
    return "may have carried out a part of the request" in error and ("login" in error or "unwrap" in error)


def test_a_step_down_is_not_seen_by_any_client_whose_requests_touch_storage_alone(busy, cluster):
    go_on(busy)
    old = cluster.leader()
    cluster.step_down(old)
    cluster.wait_for_leader(other_than=old)
    go_on(busy)
    assert [error for error in errors_of(busy) if not may_have_acted(error)] == []
    assert all(len(client.errors) <= 1 for client in busy), errors_of(busy)


def test_a_crash_is_seen_at_most_as_the_ambiguous_error(busy, cluster):
    go_on(busy)
    old = cluster.leader()
    cluster.kill(old)
    cluster.wait_for_leader(other_than=old)
    go_on(busy)
    assert [error for error in errors_of(busy) if not any(text in error for text in _AMBIGUOUS)] == []
    assert all(len(client.errors) <= 1 for client in busy), errors_of(busy)


# Streams

def checked_snapshot(raw):
    """The files of a snapshot, once their checksums are right."""
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(raw))) as archive:
        files = {member.name: archive.extractfile(member).read() for member in archive.getmembers()}
    for line in files["SHA256SUMS"].decode().splitlines():
        expected, name = line.split()
        assert hashlib.sha256(files[name]).hexdigest() == expected, name
    return files


def fill(front, megabytes):
    for number in range(megabytes):
        answer = front.call("POST", f"/v1/secret/data/big-{number}", {"data": {"value": os.urandom(350_000).hex()}})
        assert answer.status == 200, answer


def test_a_snapshot_is_saved_whole_and_restored(front, cluster, tmp_path):
    server = find_server().path
    fill(front, 8)
    front.run(server, "kv", "put", "-mount=secret", "before", "value=snapshot")
    saved = tmp_path / "saved.snap"
    front.run(server, "operator", "raft", "snapshot", "save", saved)
    assert len(saved.read_bytes()) > 4_000_000
    checked_snapshot(saved.read_bytes())
    front.run(server, "kv", "put", "-mount=secret", "after", "value=snapshot")
    front.run(server, "operator", "raft", "snapshot", "restore", saved)
    wait_until(lambda: front.call("GET", "/v1/secret/data/before").status == 200, 60, "the restored cluster to answer")
    assert front.call("GET", "/v1/secret/data/after").status == 404
    assert front.call("GET", "/v1/secret/data/before").json()["data"]["data"]["value"] == "snapshot"


def make_log_lines(front, name):
    """A new mount is worth a line of any server's log."""
    assert front.call("POST", f"/v1/sys/mounts/{name}", {"type": "kv"}).status == 204
    assert front.call("DELETE", f"/v1/sys/mounts/{name}").status == 204


def test_monitor_runs_for_ten_seconds_and_ends_when_the_client_wants(front, tmp_path):
    watching = Process("monitor", [find_server().path, "monitor", "-log-level=trace"], tmp_path / "monitor.log",
                       env=front.env)
    begun = time.monotonic()
    lines = itertools.count()

    def ten_seconds_of_lines():
        make_log_lines(front, f"watched-{next(lines)}")
        return time.monotonic() - begun >= 10 or not watching.is_running()

    wait_until(ten_seconds_of_lines, 40, "ten seconds", every=0.2)
    assert watching.is_running(), watching.log()
    watching.end()
    seen = watching.log()
    assert f"watched-{next(lines) - 2}" in seen, seen[-2000:]


class SlowReader(threading.Thread):
    """Reads an answer bit by bit until told to hurry."""

    def __init__(self, front, path):
        super().__init__(daemon=True)
        self._front, self._path = front, path
        self.begun = threading.Event()
        self.hurry = threading.Event()
        self.content = b""
        self.end = None  # "whole", or the error that the client saw

    def run(self):
        conn = connection(self._front.url, self._front.tls, 60)
        try:
            conn.request("GET", self._path, headers={"X-Vault-Token": self._front.token})
            answer = conn.getresponse()
            while True:
                bite = answer.read1(16384)
                self.content += bite
                if not bite:
                    break
                self.begun.set()
                self.hurry.wait(0.02)
            # read1() does not tell a cut from an end: a length that was announced, or a last chunk, must have come.
            if answer.chunked and answer.chunk_left is not None or answer.length:
                raise http.client.IncompleteRead(b"")
            self.end = "whole"
        except (OSError, http.client.HTTPException) as error:
            self.end = error
        finally:
            self.begun.set()
            conn.close()


def strike_amid(front, path, strike):
    reader = SlowReader(front, path)
    reader.start()
    assert reader.begun.wait(30)
    strike()
    reader.hurry.set()
    reader.join(120)
    assert not reader.is_alive()
    return reader


def test_a_snapshot_that_a_crash_cuts_is_seen_to_be_cut(front, cluster):
    fill(front, 16)
    old = cluster.leader()
    reader = strike_amid(front, "/v1/sys/storage/raft/snapshot", lambda: cluster.kill(old))
    cluster.wait_for_leader(other_than=old)
    assert reader.end != "whole", f"{len(reader.content)} bytes came"


def test_a_snapshot_amid_a_step_down_is_whole_or_seen_to_be_cut(front, cluster):
    fill(front, 16)
    old = cluster.leader()
    reader = strike_amid(front, "/v1/sys/storage/raft/snapshot", lambda: cluster.step_down(old))
    cluster.wait_for_leader(other_than=old)
    if reader.end == "whole":
        checked_snapshot(reader.content)


@pytest.mark.parametrize("has_lines", [True, False], ids=["with lines", "without a line yet"])
def test_an_open_monitor_does_not_hold_up_a_step_down(front, cluster, has_lines):
    cluster.wait_for_candidates()
    monitor = SlowReader(front, "/v1/sys/monitor?log_level=" + ("debug" if has_lines else "error"))
    monitor.start()
    wait_until(lambda: front.proxy.metrics().sum("bellwether_http_requests_in_flight") >= 1, 20, "the monitor to run")
    if has_lines:
        make_log_lines(front, "noted")
        assert monitor.begun.wait(30)
    assert monitor.end is None
    writer = Repeated("beside", hvac_flow, front)
    writer.start()
    wait_until(lambda: writer.done >= 3, 30, "the writer to write")
    old = cluster.leader()
    # The call itself returns only when the node has stepped down.
    stepping_down = threading.Thread(target=lambda: cluster.step_down(old), daemon=True)
    stepping_down.start()
    cluster.wait_for_leader(other_than=old, timeout=3)
    monitor.join(30)
    before = writer.done
    wait_until(lambda: writer.done >= before + 3, 30, "the writer to write on")
    writer.finish.set()
    writer.join(60)
    stepping_down.join(30)
    assert monitor.end not in (None, "whole")
    assert writer.errors == []
    assert front.proxy.events("stream_ended")
