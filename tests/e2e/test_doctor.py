"""`bellwether check --live` finds each staged fault by its id, and nothing besides. What each id means: conf/FINDINGS.md."""

import contextlib
import json
import os
import resource
import socket
import ssl
import subprocess
import time

import pytest

from house.bellwether import binary
from house.certificates import COMMON_NAME, Certificates, self_signed
from house.hosts_file import HostsFile
from house.ports import free_ports
from house.sim_cluster import SimCluster
from house.staged_cluster import StagedCluster
from house.waiting import wait_until

ENDS_SOON = (-300, 5)  # the days of its validity, from now


@pytest.fixture
def doctor(tmp_path):
    """Asks about a configuration; returns {"ID node", ...} of what was found and keeps the exit code's promise."""
    def ask(wrapper=(), descriptors=None, **config):
        file = tmp_path / "bellwether.json"
        file.write_text(json.dumps({"listen": "127.0.0.1:0", "admin": "off", **config}), encoding="utf-8")

        def limit():
            if descriptors:
                resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

        done = subprocess.run([*wrapper, binary(), "check", "--live", "--json", "-f", str(file)], capture_output=True,
                              text=True, timeout=60, check=False, stdin=subprocess.DEVNULL, preexec_fn=limit)
        said = json.loads(done.stdout)
        is_ill = any(each["severity"] == "problem" for each in said["findings"])
        assert done.returncode == (1 if is_ill else 0), (done, said)
        assert said["fine"] is not is_ill
        for each in said["findings"]:
            assert set(each) == {"id", "severity", "node", "cause", "remedy"}
            assert each["cause"] and each["remedy"], each
        told = [each["message"].split()[0] for each in said["problems"] + said["hints"]]
        assert sorted(word for word in told if word.startswith("BW")) == sorted(each["id"] for each in said["findings"])
        found = [f"{each['id']} {each['node']}" for each in said["findings"]]
        assert len(set(found)) == len(found)
        return set(found)

    return ask


@pytest.fixture
def staged():
    with StagedCluster() as made:
        yield made


@pytest.fixture(scope="module")
def tls_sim(tmp_path_factory):
    with SimCluster.running(tmp_path_factory.mktemp("tls_sim")) as made:
        yield made


def name_of(url):
    return url.split("//")[1]


def at_all(finding, urls):
    return {f"{finding} {name_of(url)}" for url in urls}


def follower(sim):
    leader = sim.leader()
    return next(node.index for node in sim.nodes if node.index != leader)


def trusting(cluster):
    return {"nodes": cluster.urls, "ca_file": str(cluster.tls.ca_file), "server_name": COMMON_NAME}


def server_tls(cert, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context


@contextlib.contextmanager
def tls_nodes(tmp_path, begins, ends, change=lambda context: None):
    """A staged cluster with one self-signed certificate; yields it and the options by which it is trusted."""
    cert, key = self_signed(tmp_path, "nodes", begins, ends, "IP:127.0.0.1")
    context = server_tls(cert, key)
    change(context)
    with StagedCluster(tls=context) as made:
        yield made, {"nodes": made.urls, "ca_file": str(cert)}


# Healthy

def test_nothing_is_found_of_a_healthy_cluster(sim, staged, doctor):
    for nodes in (sim.urls, staged.urls):
        for mode in ("tcp", "http", "redirect"):
            assert doctor(nodes=nodes, mode=mode) == set()


def test_nor_over_tls_on_either_side(tls_sim, doctor, tmp_path):
    cert, key = Certificates(tmp_path / "own").issue("own")
    own = {"listen": "0.0.0.0:0", "mode": "http", "tls_cert": str(cert), "tls_key": str(key)}
    assert doctor(**trusting(tls_sim)) == set()
    assert doctor(**trusting(tls_sim), **own) == set()


def test_the_text_has_the_id_first(staged, command):
    staged.nodes[1].health["sealed"], staged.nodes[1].status = True, 503
    done = command("check", "--live", *staged.urls)
    lines = [line for line in done.stdout.splitlines() if "BW023" in line]
    assert lines == [f"  note: BW023 {staged.nodes[1].name}: is sealed: it cannot take over; unseal it (bao operator unseal), "
                     "and see why auto-unseal did not"], done
    assert done.returncode == 0 and "fine" in done.stdout


# A node is not reached

def test_refused(sim, doctor):
    sim.kill(node := follower(sim))
    assert doctor(nodes=sim.urls) == at_all("BW001", [sim.urls[node]])


def test_connect_timeout(staged, doctor):
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, contextlib.ExitStack() as held:
        address = full.getsockname()
        for _ in range(2):  # as many as the kernel takes without a call of accept()
            sock = held.enter_context(socket.socket())
            sock.setblocking(False)
            sock.connect_ex(address)
        url = "http://%s:%d" % address
        assert doctor(nodes=[*staged.urls, url], timeout_connect="300ms") == at_all("BW002", [url])


def test_unresolved(staged, doctor):
    url = "http://vault9.bellwether.invalid:8200"
    assert doctor(nodes=[*staged.urls, url]) == at_all("BW003", [url])


def test_unreachable(staged, doctor):
    """A multicast address: TCP has no way there, whatever the routes."""
    url = "http://224.0.0.1:8200"
    assert doctor(nodes=[*staged.urls, url]) == at_all("BW004", [url])


def test_answer_timeout(sim, doctor):
    sim.freeze(node := follower(sim))
    assert doctor(nodes=sim.urls, timeout_check="500ms") == at_all("BW005", [sim.urls[node]])


def test_ended(staged, doctor):
    staged.nodes[1].demands_proxy = True
    staged.nodes[1].raw = b"never sent"
    assert doctor(nodes=staged.urls) == at_all("BW006", [staged.urls[1]])


def test_cluster_port(staged, doctor):
    with socket.create_server(("127.0.81.2", 8201)):
        url = "http://127.0.81.2:8201"
        assert doctor(nodes=[*staged.urls, url], timeout_check="300ms") == at_all("BW007", [url])


# It answers, but not as a node does

def answer(status, body):
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status.encode(), len(body), body)


@pytest.mark.parametrize("finding,raw", [
    ("BW008", answer("200 OK", b"<html>Sign in to the network</html>")),
    ("BW008", answer("404 Not Found", b"no such page")),
    ("BW009", answer("502 Bad Gateway", b"<html>502</html>")),
    ("BW009", answer("503 Service Unavailable", b"")),
    ("BW011", answer("400 Bad Request", b'{"errors":["missing x-forwarded-for header and configured to reject"]}')),
    ("BW012", answer("429 Too Many", b'{"errors":["request path \\"sys/health\\": rate limit quota exceeded"]}')),
], ids=["portal", "web_server", "gateway", "gateway_503", "forwarded_for", "quota"])
def test_no_answer_of_vaults(staged, doctor, finding, raw):
    staged.nodes[2].raw = raw
    assert doctor(nodes=staged.urls) == at_all(finding, [staged.urls[2]])


def test_status_that_was_changed_on_the_way(staged, doctor):
    staged.nodes[1].status, staged.nodes[2].status = 200, 299
    assert doctor(nodes=staged.urls) == at_all("BW010", staged.urls[1:])


# TLS and the PROXY protocol

def test_wrong_name(tls_sim, doctor):
    assert doctor(nodes=tls_sim.urls, ca_file=str(tls_sim.tls.ca_file)) == at_all("BW013", tls_sim.urls)


def test_unknown_ca(tls_sim, doctor, tmp_path):
    other = Certificates(tmp_path / "other")
    assert doctor(nodes=tls_sim.urls, ca_file=str(other.ca_file), server_name=COMMON_NAME) == at_all("BW014", tls_sim.urls)


def test_expired_certificate(doctor, tmp_path):
    with tls_nodes(tmp_path, -10, -1) as (cluster, options):
        assert doctor(**options) == at_all("BW015", cluster.urls)


def test_client_certificate_is_demanded(doctor, tmp_path):
    def demand(context):
        context.verify_mode = ssl.CERT_REQUIRED

    with tls_nodes(tmp_path, -1, 90, demand) as (cluster, options):
        assert doctor(**options) == at_all("BW016", cluster.urls)


def test_no_common_tls_version(doctor, tmp_path):
    def age(context):
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1

    with tls_nodes(tmp_path, -1, 90, age) as (cluster, options):
        assert doctor(**options) == at_all("BW017", cluster.urls)


def test_plain_http_to_tls(tls_sim, doctor):
    urls = [url.replace("https://", "http://") for url in tls_sim.urls]
    assert doctor(nodes=urls) == at_all("BW018", urls)


def test_tls_to_plain_http(sim, doctor):
    urls = [url.replace("http://", "https://") for url in sim.urls]
    assert doctor(nodes=urls) == at_all("BW019", urls)


def test_proxy_header_is_refused(sim, staged, doctor):
    assert doctor(nodes=staged.urls, send_proxy="v1") == at_all("BW020", staged.urls)
    assert doctor(nodes=sim.urls, send_proxy="v2") == at_all("BW020", sim.urls)


def test_proxy_header_is_demanded(staged, doctor):
    staged.nodes[1].demands_proxy = True
    assert doctor(nodes=staged.urls) == at_all("BW021", [staged.urls[1]])


def test_certificate_ends_soon(doctor, tmp_path):
    with tls_nodes(tmp_path, *ENDS_SOON) as (cluster, options):
        assert doctor(**options) == at_all("BW022", cluster.urls)


# A node that cannot take over

def test_sealed(sim, doctor):
    sim.seal_without_asking(node := follower(sim))
    assert doctor(nodes=sim.urls) == at_all("BW023", [sim.urls[node]])


@pytest.mark.parametrize("role,finding", [("uninitialized", "BW024"), ("removed", "BW025"), ("disconnected", "BW026"),
                                          ("dr-secondary", "BW027")])
def test_role(sim, doctor, role, finding):
    sim.state_role(node := follower(sim), role)
    assert doctor(nodes=sim.urls) == at_all(finding, [sim.urls[node]])


def test_clock_skew(staged, doctor):
    staged.nodes[0].clock_ahead, staged.nodes[2].clock_ahead = -3600, 60
    assert doctor(nodes=staged.urls) == at_all("BW028", [staged.urls[0], staged.urls[2]])


def test_standby_behind(staged, doctor):
    staged.nodes[1].leader["raft_applied_index"] = 10
    assert doctor(nodes=staged.urls) == at_all("BW029", [staged.urls[1]])


def test_version_mix(staged, doctor):
    staged.nodes[2].health["version"] = "2.5.1"
    assert doctor(nodes=staged.urls) == {"BW030 cluster"}


# The cluster

def test_same_server(sim, doctor):
    twice = sim.urls[0].replace("127.0.0.1", "localhost")
    assert doctor(nodes=[*sim.urls, twice]) == at_all("BW031", [twice])


def test_another_cluster(sim, doctor):
    sim.make_foreign(node := follower(sim))
    assert doctor(nodes=sim.urls) == at_all("BW032", [sim.urls[node]])


def test_nobody_leads(staged, doctor):
    for node in staged.nodes:
        node.status, node.health["standby"] = 429, True
        node.leader = {"ha_enabled": True, "raft_committed_index": 1, "raft_applied_index": 1}
    assert doctor(nodes=staged.urls) == {"BW033 cluster"}


def test_several_lead(sim, doctor):
    sim.pretend_to_lead(follower(sim))
    assert doctor(nodes=sim.urls) == {"BW034 cluster"}


def test_leader_that_is_not_named(sim, doctor):
    leader = sim.leader()
    assert doctor(nodes=[url for i, url in enumerate(sim.urls) if i != leader]) == {"BW035 cluster"}


def test_leaders_differ(staged, doctor):
    staged.nodes[2].leader["leader_address"] = staged.urls[1]
    assert doctor(nodes=staged.urls) == at_all("BW036", [staged.urls[2]])


def test_quorum_is_lost(sim, doctor):
    leader = sim.leader()
    gone = [i for i in range(3) if i != leader]
    for node in gone:
        sim.kill(node)
    wait_until(lambda: sim.health(leader) == 429, 20, "the leader to find itself alone")
    assert doctor(nodes=sim.urls) == at_all("BW001", [sim.urls[i] for i in gone]) | {"BW033 cluster", "BW037 cluster"}


# The leader's api_addr

def test_api_addr_loops(staged, doctor):
    (port,) = free_ports(1)
    staged.name_leader(f"http://127.0.0.1:{port}")
    assert doctor(nodes=staged.urls, listen=f"127.0.0.1:{port}") == at_all("BW038", [staged.urls[0]])


def test_api_addr_of_loopback(staged, doctor):
    staged.name_leader("https://localhost:1")
    assert doctor(nodes=staged.urls) == at_all("BW039", [staged.urls[0]])


@pytest.mark.parametrize("url", ["https://vault.bellwether.invalid:8200", "vault:8200", "https://vault:99999"])
def test_api_addr_that_leads_nowhere(staged, doctor, url):
    staged.name_leader(url)
    assert doctor(nodes=staged.urls) == at_all("BW040", [staged.urls[0]])


def test_api_addr_of_another_node(staged, doctor, tmp_path):
    """DNS, here the hosts file, leads "vault1.test" to another node than the one that calls itself so."""
    staged.name_leader(staged.urls[1].replace("127.0.0.1", "vault1.test"))
    hosts = HostsFile(tmp_path, {"vault1.test": "127.0.0.1"})
    assert doctor(hosts.wrapper(), nodes=staged.urls) == at_all("BW041", [staged.urls[0]])


def test_one_family_of_addresses(staged, doctor, tmp_path):
    assert os.path.exists("/proc/net/if_inet6"), "this test needs IPv6 on loopback"
    url = staged.urls[0].replace("127.0.0.1", "vault1.test")
    hosts = HostsFile(tmp_path, {"vault1.test": ["127.0.0.1", "::1"]})
    assert doctor(hosts.wrapper(), nodes=[url, *staged.urls[1:]]) == at_all("BW042", [url])


# Our own side

def test_own_certificates(staged, doctor, tmp_path):
    expired, soon = self_signed(tmp_path, "expired", -10, -1), self_signed(tmp_path, "soon", *ENDS_SOON)
    for (cert, key), finding in ((expired, "BW043"), (soon, "BW044")):
        own = {"tls_cert": str(cert), "tls_key": str(key)}
        assert doctor(nodes=staged.urls, mode="http", **own) == {f"{finding} tls_cert"}
        own = {"client_cert": str(cert), "client_key": str(key)}
        assert doctor(nodes=staged.urls, **own) == {f"{finding} client_cert"}


def test_own_file_that_is_missing(staged, doctor, tmp_path):
    own = {"tls_cert": str(tmp_path / "none.pem"), "tls_key": str(tmp_path / "none.key")}
    assert doctor(nodes=staged.urls, mode="http", **own) == {"BW045 files"}


def test_node_that_leads_back(staged, doctor, tmp_path):
    """By a name: of an address the configuration itself says it."""
    (port,) = free_ports(1)
    url = f"http://self.test:{port}"
    hosts = HostsFile(tmp_path, {"self.test": "127.0.0.1"})
    found = doctor(hosts.wrapper(), nodes=[*staged.urls, url], listen=f"127.0.0.1:{port}")
    assert found == at_all("BW046", [url]) | at_all("BW001", [url])


def test_nodes_that_cannot_be_used(staged, doctor, tmp_path):
    hosts = HostsFile(tmp_path, {"several.test": ["127.0.0.1", "127.0.0.2"]})
    node = {"name": "one", "url": "http://several.test:8200"}
    assert doctor(hosts.wrapper(), nodes=[*staged.urls, node]) == {"BW047 nodes"}


def test_limits_of_the_process(staged, doctor):
    assert doctor(nodes=staged.urls, descriptors=1024) == {"BW048 maxconn"}
    assert doctor(nodes=staged.urls, mode="http", maxconn=1000000, descriptors=20000) == {"BW048 maxconn", "BW049 maxconn"}


def test_what_other_machines_reach(staged, tls_sim, doctor):
    assert doctor(nodes=staged.urls, mode="http", listen="0.0.0.0:0") == {"BW050 0.0.0.0:0"}
    assert doctor(nodes=tls_sim.urls, verify=False) == {"BW051 verify"}
    assert doctor(nodes=staged.urls, admin="0.0.0.0:8209") == {"BW052 0.0.0.0:8209"}


# Several at once, and time

def test_several_faults_at_once(sim, doctor):
    leader = sim.leader()
    first, second = (i for i in range(3) if i != leader)
    sim.kill(first)
    sim.state_role(second, "disconnected")
    expected = at_all("BW001", [sim.urls[first]]) | at_all("BW026", [sim.urls[second]])
    assert doctor(nodes=sim.urls, mode="http", listen="0.0.0.0:0") == expected | {"BW050 0.0.0.0:0"}


def test_all_nodes_are_asked_at_once_and_for_a_bounded_time(doctor):
    """Eight that accept and say nothing take as long as one, and one that never ends its answer is given up."""
    with contextlib.ExitStack() as held:
        servers = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(8)]
        urls = ["http://%s:%d" % each.getsockname() for each in servers]
        began = time.monotonic()
        assert doctor(nodes=urls, timeout_connect="1s", timeout_check="1s") == at_all("BW005", urls)
        assert time.monotonic() - began < 8


def test_an_endless_answer_is_cut(staged, doctor):
    staged.nodes[1].raw = answer("200 OK", b"x" * (1 << 20))
    assert doctor(nodes=staged.urls) == at_all("BW008", [staged.urls[1]])
