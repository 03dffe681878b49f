"""`bellwether import-haproxy`: each haproxy/NAME.cfg is one that HAProxy accepts; what is made of it serves a request, and what
is told about it is haproxy/NAME.expected, line by line. BELLWETHER_REWRITE=1 writes these files anew."""

import contextlib
import http.client
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile

import pytest

from house.bellwether import Bellwether, binary
from house.certificates import COMMON_NAME, Certificates
from house.name_server import NameServer
from house.ports import free_ports
from house.proxy_header import announce, behind_proxy_header
from house.sim_cluster import SimCluster
from house.web import Tls, send
from test_readme import block_after

FIXTURES = pathlib.Path(__file__).parent / "haproxy"
HAPROXY = shutil.which("haproxy") or "/usr/sbin/haproxy"
OWN_NAME = "vault.example.com"
SERVICE_NET = "127.0.31"


def name_of(path):
    return path.stem


class Setting:
    """A fixture with a cluster behind it: the file with its ports and paths, and how a client speaks to it."""

    def __init__(self, fixture, sim, folder, nodes, ports):
        self.words = dict(word.split("=", 1) for word in fixture.read_text().splitlines()[0].split()[1:])
        self.sim, self.folder = sim, folder
        values = {"DIR": str(folder), "NAME": COMMON_NAME}
        values.update({f"NODE{i}": node for i, node in enumerate(nodes, 1)})
        values.update({f"NODEPORT{i}": node.rsplit(":", 1)[1] for i, node in enumerate(nodes, 1)})
        values.update({f"PORT{i}": str(port) for i, port in enumerate(ports, 1)})
        self.values = values
        self.file = folder / "haproxy.cfg"
        self.file.write_text(self.filled_in(fixture.read_text()))
        self.out = folder / "bellwether.json"
        self.env = {**os.environ, "LISTEN_PORT": values["PORT1"]}

    def filled_in(self, text):
        for key, value in self.values.items():
            text = text.replace(f"@{key}@", value)
        return text

    def neutral(self, text):
        """The same text with the placeholders of the fixture in place of this run's ports and paths."""
        order = ["DIR", "NODE1", "NODE2", "NODE3", "NODEPORT1", "NODEPORT2", "NODEPORT3", "PORT1", "PORT2", "PORT3", "NAME"]
        for key in order:
            text = re.sub(rf"(?<![\w.]){re.escape(self.values[key])}(?![\d])", f"@{key}@", text)
        return text

    @property
    def choice(self):
        return [self.words["words"]] if "words" in self.words else []


@contextlib.contextmanager
def clusters(kind, folder):
    """The simulated cluster, and host:port of its nodes."""
    words = []
    if kind == "ipv6":
        words = [word for port in free_ports(3) for word in ("--address", f"[::1]:{port}")]
    if kind == "srv":
        port = free_ports(1)[0]
        words = [word for place in range(1, 4) for word in ("--address", f"{SERVICE_NET}.{place}:{port}")]
    with SimCluster.running(folder / "sim", tls=kind in ("tls", "srv", "behind-proxy"), words=words) as sim:
        with contextlib.ExitStack() as stack:
            nodes = [url.split("://", 1)[1] for url in sim.urls]
            if kind == "behind-proxy":
                nodes = [stack.enter_context(behind_proxy_header(url)) for url in sim.urls]
            yield sim, nodes


def sim_kind(fixture):
    return re.match(r"# sim=(\S+)", fixture.read_text()).group(1)


@pytest.fixture
def short_folder():
    """Lines are cut where they are long, so the length of paths must not differ from run to run."""
    with tempfile.TemporaryDirectory(prefix="bw-", dir="/tmp") as folder:
        yield pathlib.Path(folder)


@pytest.fixture(params=sorted(FIXTURES.glob("*.cfg")), ids=name_of)
def it(request, short_folder, tmp_path):
    own = Certificates(tmp_path / "own", common_name=OWN_NAME)
    cert, key = own.issue("own")
    (short_folder / "own.pem").write_text(cert.read_text() + key.read_text())
    (short_folder / "list.txt").write_text(f"{short_folder}/own.pem [alpn http/1.1] {OWN_NAME}\n")
    with clusters(sim_kind(request.param), tmp_path) as (sim, nodes):
        if sim.tls:
            shutil.copy(sim.tls.ca_file, short_folder / "nodes-ca.pem")
        else:
            shutil.copy(own.ca_file, short_folder / "nodes-ca.pem")
        made = Setting(request.param, sim, short_folder, nodes, free_ports(3))
        made.fixture, made.own = request.param, Tls(own.ca_file, OWN_NAME)
        yield made


def accepts(it):
    assert os.access(HAPROXY, os.X_OK), "this test needs HAProxy: apt-get install haproxy (./dev test does it)"
    return subprocess.run([HAPROXY, "-c", "-f", it.file], capture_output=True, text=True, env=it.env, timeout=60, check=False)


def expect_findings(it, told):
    expected = it.fixture.with_suffix(".expected")
    if os.environ.get("BELLWETHER_REWRITE"):
        expected.write_text(it.neutral(told))
    assert it.neutral(told) == expected.read_text()


def connect(it, address):
    """A connection as clients of this fixture make it, ready for a request."""
    if address.startswith("unix:"):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(30)
        sock.connect(address[5:])
        return sock
    host, port = address.rsplit(":", 1)
    sock = socket.create_connection((host.strip("[]"), int(port)), timeout=30)
    how = it.words["client"]
    if how == "proxy":
        announce(sock)
    tls = {"tls": it.sim.tls, "proxy": it.sim.tls, "own": it.own}.get(how)
    return tls.context.wrap_socket(sock, server_hostname=tls.server_name) if tls else sock


def status_of_health(it, address):
    conn = http.client.HTTPConnection("localhost", timeout=30)
    conn.sock = connect(it, address)
    try:
        return send(conn, "GET", "/v1/sys/health", headers={"Connection": "close"}).status
    finally:
        conn.close()


@contextlib.contextmanager
def running(it, folder):
    """What the file leaves to the operator comes by the environment: the CA, and the name in its certificates."""
    env = {}
    if it.sim.tls:
        env = {"BELLWETHER_CA_FILE": str(it.sim.tls.ca_file), "BELLWETHER_SERVER_NAME": it.sim.tls.server_name}
    wrapper = ()
    with contextlib.ExitStack() as stack:
        if it.words["sim"] == "srv":
            env["BELLWETHER_DNS_ALLOW_LOCAL"] = "true"
            server = NameServer(folder)
            stack.callback(server.end)
            targets = [f"n{place}.vault.test" for place in range(1, 4)]
            server.say(*(f"srv-host=_vault._tcp.vault.test,{target},{it.values['NODEPORT1']}" for target in targets),
                       *(f"host-record={target},{SERVICE_NET}.{place}" for place, target in enumerate(targets, 1)))
            wrapper = server.wrapper
        words = ["-f", it.out, "--admin", "127.0.0.1:0"]
        yield stack.enter_context(Bellwether(folder, words, env=env, wrapper=wrapper))


def test_what_haproxy_accepts_is_imported_and_serves_a_request(it, command, tmp_path):
    accepted = accepts(it)
    assert accepted.returncode == 0, accepted
    done = command("import-haproxy", it.file, *it.choice, "-o", it.out, env=it.env)
    assert done.returncode == 0 and done.stdout == "", done
    expect_findings(it, done.stderr)
    strict = command("import-haproxy", it.file, *it.choice, "--strict", env=it.env)
    assert strict.returncode == (3 if ": lost: " in done.stderr else 0), strict
    assert strict.stdout == it.out.read_text()
    checked = command("check", "-f", it.out, timeout=120)
    assert checked.returncode == 0, (checked, it.out.read_text())
    with running(it, tmp_path) as proxy:
        proxy.wait_ready()
        addresses = re.findall(r'"address": ("[^"]*")', it.out.read_text())
        assert addresses
        for address in addresses:
            assert status_of_health(it, json.loads(address)) == 200, proxy.log()


def test_there_are_twenty_fixtures_and_each_has_its_findings():
    names = {path.stem for path in FIXTURES.glob("*.cfg")}
    assert len(names) >= 20
    assert names == {path.stem for path in FIXTURES.glob("*.expected")}


TWO = ("listen eu\n  bind 127.0.0.1:1\n  server a 192.0.2.1:8200\n"
       "listen us\n  bind 127.0.0.1:2\n  server a 192.0.2.2:8200\n")


@pytest.fixture
def cfg(tmp_path):
    file = tmp_path / "haproxy.cfg"

    def write(text):
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return file

    return write


def test_several_clusters_are_named_in_place_of_a_guess(command, cfg):
    done = command("import-haproxy", cfg(TWO))
    assert done.returncode == 2 and done.stdout == "", done
    assert "--listen eu " in done.stderr and "--listen us " in done.stderr and "bellwether@NAME" in done.stderr
    chosen = command("import-haproxy", cfg(TWO), "--listen", "us")
    assert chosen.returncode == 0 and "192.0.2.2:8200" in chosen.stdout and "192.0.2.1" not in chosen.stdout


def test_no_file_is_written_over_unless_it_is_forced(command, cfg, tmp_path):
    out = tmp_path / "bellwether.json"
    out.write_text("precious")
    refused = command("import-haproxy", cfg(TWO), "--backend", "eu", "-o", out)
    assert refused.returncode == 1 and "--force" in refused.stderr, refused
    assert out.read_text() == "precious"
    assert command("import-haproxy", cfg(TWO), "--backend", "eu", "-o", out, "--force").returncode == 0
    assert "192.0.2.1:8200" in out.read_text()


@pytest.mark.parametrize("text,why", [
    (b"listen a\n  bind \":1\n", "haproxy.cfg:2: the quote"), (b"listen a\n  server \0\n", "haproxy.cfg:2: there is a NUL"),
    (b"", "no haproxy.cfg"), (b"x" * 1_000_000, "longer than 65536 bytes"), (b"#\n" * 3_000_000, "larger than an haproxy.cfg may be"),
    (b"listen a from b\n", "no \"defaults b\"")], ids=["quote", "NUL", "empty", "long line", "large", "from nowhere"])
def test_what_is_no_haproxy_cfg_is_refused_with_its_place(command, cfg, text, why):
    done = command("import-haproxy", cfg(text))
    assert done.returncode == 1 and done.stdout == "", done.returncode
    assert why in done.stderr


def test_a_file_comes_by_standard_input_too(cfg):
    done = subprocess.run([binary(), "import-haproxy", "-", "--listen", "eu"], input=TWO, capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 0 and "stdin:3 server a 192.0.2.1:8200" in done.stdout, done


def test_who_gives_an_haproxy_cfg_to_check_is_told_how_to_come_over(command, cfg):
    done = command("check", "-f", cfg("global\n  maxconn 9\n" + TWO))
    assert done.returncode == 1 and "bellwether import-haproxy FILE" in done.stderr, done


def test_the_commands_of_the_readme_are_understood(command, cfg, tmp_path):
    first = block_after("tested: import").splitlines()[0].split()
    assert first[:3] == ["bellwether", "import-haproxy", "/etc/haproxy/haproxy.cfg"] and first[3] == "-o", first
    done = command("import-haproxy", cfg(TWO), "--listen", "eu", "-o", tmp_path / "out.json")
    assert done.returncode == 0, done
