"""`bellwether init`: a configuration file of what a cluster says, from one of its nodes."""

import contextlib
import json
import os
import re
import resource
import subprocess

import pytest

from house.bellwether import Bellwether, binary
from house.certificates import Certificates
from house.hosts_file import HostsFile
from house.ports import free_ports
from house.sim_cluster import SimCluster
from house.web import request

NET = "127.0.41"


def init(*words, wrapper=(), **options):
    return subprocess.run([*wrapper, binary(), "init", *map(str, words)], capture_output=True, text=True, timeout=60,
                          check=False, **options)


def content_of(file):
    return json.loads(re.sub(r"(?m)(^|  )//.*$", "", file.read_text()))


class Named:
    """A cluster over TLS at NET.1, NET.2, ..., whose certificate is for `dns_names` and for its common name."""

    def __init__(self, folder, ended, nodes=3, net=NET, dns_names=()):
        (self.port,) = free_ports(1)
        words = [word for i in range(nodes) for word in ("--address", f"{net}.{i + 1}:{self.port}")]
        self.sim = ended.enter_context(SimCluster.running(folder, words=["--nodes", str(nodes), *words], dns_names=dns_names))
        self.ca_words = ["--ca-file", self.sim.tls.ca_file]

    def url(self, name):
        return f"https://{name}:{self.port}"


@pytest.fixture
def begin(tmp_path):
    with contextlib.ExitStack() as ended:
        yield lambda **options: Named(tmp_path / "sim", ended, **options)


def test_one_node_is_enough_where_names_have_numbers(begin, tmp_path, command):
    """The certificate names vault-1 and a balancer, vault-3 is found by its number; vault-0, -4 and -5 do not exist."""
    it = begin(dns_names=["vault-1.test", "vault-2.test", "vault-3.test", "balancer.test"])
    hosts = HostsFile(tmp_path, {f"vault-{i}.test": f"{NET}.{i}" for i in (1, 2, 3)})
    file = tmp_path / "made.json"
    done = init(it.url("vault-2.test"), *it.ca_words, "--mode", "http", "--listen", "127.0.0.1:0", "--inter", "300ms",
                "-o", file, wrapper=hosts.wrapper())
    assert done.returncode == 0, done
    content = content_of(file)
    assert sorted(content.pop("nodes")) == [it.url(f"vault-{i}.test") for i in (1, 2, 3)]
    assert content == {"listen": "127.0.0.1:0", "mode": "http", "inter": "300ms", "ca_file": str(it.sim.tls.ca_file)}
    assert f"not taken: {it.url('balancer.test')}: the certificate of {it.url('vault-2.test')} names it" in done.stderr
    assert f"// Not taken: {it.url('balancer.test')}" in file.read_text()
    assert "vault-0" not in done.stderr + file.read_text()
    assert command("check", "-f", file).returncode == 0
    with Bellwether(tmp_path, ["-f", file, "--admin", "127.0.0.1:0"], wrapper=hosts.wrapper()) as proxy:
        proxy.wait_ready()
        assert request(f"http://{proxy.address}/v1/sys/health").status == 200


def test_numbers_are_tried_and_names_that_share_a_server_are_no_nodes(begin, tmp_path):
    """A name server with an answer for every name leads to a balancer, which answers as one of the nodes."""
    it = begin(nodes=4, dns_names=["*.eu.test"])

    def found(hosts):
        named = HostsFile(tmp_path, {f"vault-{i}.eu.test": f"{NET}.{place}" for i, place in hosts.items()})
        file = tmp_path / "made.json"
        done = init(it.url("vault-1.eu.test"), *it.ca_words, "-o", file, "--force", wrapper=named.wrapper())
        assert done.returncode == 0, done
        return sorted(content_of(file)["nodes"])

    assert found({1: 1, 2: 2, 3: 3}) == [it.url(f"vault-{i}.eu.test") for i in (1, 2, 3)]
    assert found({1: 1, 0: 4, 2: 4, 3: 4}) == [it.url("vault-1.eu.test")]


def test_a_leader_that_is_named_is_taken_and_few_nodes_are_said_to_be(sim):
    leader = sim.leader()
    standby = (leader + 1) % 3
    done = init(sim.nodes[standby].url)
    assert done.returncode == 0, done
    assert f'"{sim.nodes[standby].url}",  // standby' in done.stdout
    assert f'"{sim.nodes[leader].url}"  // active' in done.stdout
    assert "name those that are missing" in done.stderr
    whole = init(*[node.url for node in sim.nodes])
    assert whole.returncode == 0 and "missing" not in whole.stderr
    assert whole.stdout.count("http://127.0.0.1") == 6  # each in the list, and in the first line


def test_a_node_of_another_cluster_and_another_name_of_a_node_are_not_taken(sim, tmp_path):
    with SimCluster.running(tmp_path / "other", tls=False) as other:
        other.make_foreign(0)  # all simulated clusters have one id
        port = sim.nodes[0].url.rsplit(":", 1)[1]
        done = init(sim.nodes[0].url, other.nodes[0].url, f"http://localhost:{port}")
    assert done.returncode == 0, done
    assert f"not taken: {other.nodes[0].url}: it was named, but it is of another cluster" in done.stderr
    assert f"not taken: http://localhost:{port}: it was named, but it leads to the same server as" in done.stderr
    assert other.nodes[0].url not in done.stdout.split("{", 1)[1]


def test_a_silent_node_stays_in_the_file_if_it_was_named_and_alone_makes_none(sim):
    down = f"http://127.0.0.1:{free_ports(1)[0]}"
    done = init(sim.nodes[sim.leader()].url, down)
    assert done.returncode == 0, done
    assert re.search(rf'"{down}",?  // connection refused', done.stdout)
    alone = init(down)
    assert alone.returncode == 1 and alone.stdout == ""
    assert "connection refused" in alone.stderr and "no answer that tells of a cluster" in alone.stderr


def test_without_its_ca_a_node_is_refused_with_the_way_out(begin, tmp_path):
    it = begin(dns_names=["vault-1.test"])
    hosts = HostsFile(tmp_path, {"vault-1.test": f"{NET}.1"})
    done = init(it.url("vault-1.test"), wrapper=hosts.wrapper())
    assert done.returncode == 1 and done.stdout == ""
    assert "ca_file" in done.stderr


def test_a_node_on_the_default_port_of_this_machine_keeps_it(tmp_path):
    """In a network of its own, for the port is a fixed one."""
    script = """ip link set lo up
        "$0" sim --nodes 1 --address 127.0.0.1:8200 >"$1/sim.log" 2>&1 &
        for try in $(seq 400); do grep -q control "$1/sim.log" && break; sleep 0.05; done
        "$0" init http://127.0.0.1:8200 -o "$1/made.json"; status=$?
        kill $!; wait; exit $status"""
    done = subprocess.run(["unshare", "-n", "sh", "-c", script, binary(), str(tmp_path)], capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 0, done
    assert content_of(tmp_path / "made.json") == {"listen": "127.0.0.1:8100", "nodes": ["http://127.0.0.1:8200"]}
    assert "it gets 127.0.0.1:8100" in done.stderr


def test_a_file_is_written_whole_or_not_at_all(sim, tmp_path):
    file, link = tmp_path / "made.json", tmp_path / "link.json"
    file.write_text("mine")
    file.chmod(0o640)
    link.symlink_to(file)
    refused = init(sim.nodes[0].url, "-o", link)
    assert refused.returncode == 1 and "--force writes over it" in refused.stderr
    no_room = init(sim.nodes[0].url, "-o", link, "--force", restore_signals=False,
                   preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)))
    assert no_room.returncode == 1 and "File too large" in no_room.stderr
    assert file.read_text() == "mine"
    done = init(sim.nodes[0].url, "-o", link, "--force")
    assert done.returncode == 0, done
    assert link.is_symlink() and content_of(file)["nodes"]
    assert file.stat().st_mode & 0o777 == 0o640
    assert sorted(os.listdir(tmp_path)) == ["link.json", "made.json", "sim"]
