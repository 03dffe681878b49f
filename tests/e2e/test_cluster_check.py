"""`bellwether check` of a file with several clusters: what is wrong, and in which of them."""

import contextlib
import json
import resource
import socket
import subprocess
import time

import pytest

from house.bellwether import Bellwether, binary
from house.certificates import Certificates, self_signed
from house.hosts_file import HostsFile
from house.ports import free_ports
from house.sim_cluster import SimCluster
from house.staged_cluster import StagedCluster

NAMES = ("east", "west")


@pytest.fixture
def staged():
    with contextlib.ExitStack() as ended:
        yield {name: ended.enter_context(StagedCluster()) for name in NAMES}


class File:
    """A configuration, written anew by each call of `write`."""

    def __init__(self, folder):
        self.path = folder / "bellwether.json"

    def write(self, clusters, listen=(), **options):
        """`clusters`: the options of each by its name."""
        listen = [{"address": "127.0.0.1:0", "cluster": name} for name in clusters] if not listen else listen
        text = {"clusters": [{"name": name, **of} for name, of in clusters.items()], "listen": listen,
                **{"admin": "off", **options}}
        self.path.write_text(json.dumps(text, indent=1), encoding="utf-8")
        return self.path


@pytest.fixture
def file(tmp_path):
    return File(tmp_path)


def urls_of(clusters):
    return {name: {"nodes": each.urls} for name, each in clusters.items()}


def check(path, *words, wrapper=(), before=None):
    done = subprocess.run([*wrapper, binary(), "check", *words, "-f", str(path)], capture_output=True, text=True, timeout=60,
                          check=False, stdin=subprocess.DEVNULL, preexec_fn=before)
    assert "Sanitizer" not in done.stderr, done.stderr
    return done


def found(path, *words, **how):
    """{"ID node" or "CLUSTER: ID node"}; the exit code and both lists of messages agree with it."""
    done = check(path, "--json", *words, **how)
    said = json.loads(done.stdout)
    is_ill = any(each["severity"] == "problem" for each in said["findings"])
    assert (done.returncode, said["fine"]) == ((1, False) if is_ill else (0, True)), said
    messages = [(each.get("cluster"), each["message"].split()[0]) for each in said["problems"] + said["hints"] if "file" not in each]
    assert sorted(map(str, messages)) == sorted(str((each.get("cluster"), each["id"])) for each in said["findings"])
    names = [": ".join([*filter(None, [each.get("cluster")]), f"{each['id']} {each['node']}"]) for each in said["findings"]]
    assert len(set(names)) == len(names)
    return set(names)


def parts(text):
    """What stands under the heading of each cluster."""
    heads = [line for line in text.splitlines() if line.startswith("cluster ")]
    made, name = {"": []}, ""
    for line in text.splitlines():
        name = line.removeprefix("cluster ") if line in heads else name
        made.setdefault(name, []).append(line)
    return {name: "\n".join(lines) for name, lines in made.items()}


def test_a_fine_file_is_told_cluster_by_cluster(file):
    path = file.write({"east": {"nodes": ["http://127.0.0.1:1"]}, "west": {"nodes": ["https://127.0.0.1:2"], "server_name": "vault"}},
                      [{"address": "127.0.0.1:8200", "cluster": "east"},
                       {"address": "127.0.0.1:8300", "cluster": "west", "mode": "http"}], admin="127.0.0.1:8209")
    done = check(path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"""{path}: fine
cluster east
  listens on 127.0.0.1:8200 (tcp: bytes pass through to the leader)
  node 127.0.0.1:1: http://127.0.0.1:1
cluster west
  listens on 127.0.0.1:8300 (http: each request to the leader)
  node 127.0.0.1:2: https://127.0.0.1:2, certificate for vault
admin page on 127.0.0.1:8209
"""
    assert found(path) == set()


def test_a_file_that_one_cluster_lacks_is_said_of_that_one(file, tmp_path):
    path = file.write({"east": {"nodes": ["https://127.0.0.1:1"]},
                       "west": {"nodes": ["https://127.0.0.1:2"], "ca_file": str(tmp_path / "none.pem")}})
    done = check(path)
    assert (done.returncode, done.stdout) == (1, "")
    lines = done.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith(f"{path}: cluster west: BW045 files: ") and "none.pem" in lines[0], lines
    assert found(path) == {"west: BW045 files"}


def test_nodes_that_cannot_be_used_are_those_of_one_cluster(file, staged, tmp_path):
    hosts = HostsFile(tmp_path, {"several.test": ["127.0.0.1", "127.0.0.2"]})
    several = {"name": "one", "url": "http://several.test:8200"}
    path = file.write({"east": {"nodes": [*staged["east"].urls, several]}, "west": {"nodes": staged["west"].urls}})
    for words in ((), ("--live",)):
        assert found(path, *words, wrapper=hosts.wrapper()) == {"east: BW047 nodes"}


def test_what_clusters_have_in_common_is_said_once(file, staged, tmp_path):
    listen = [{"address": "127.0.0.1:0", "cluster": name, "mode": "http"} for name in NAMES]
    cert, key = self_signed(tmp_path, "expired", -10, -1)
    common = {"tls_cert": str(cert), "tls_key": str(key)}
    path = file.write(urls_of(staged), listen, **common)
    assert found(path) == found(path, "--live") == {"BW043 tls_cert"}
    assert check(path).stderr.count("BW043") == 1
    good = dict(zip(("tls_cert", "tls_key"), map(str, Certificates(tmp_path / "own").issue("own"))))
    options = urls_of(staged)
    options["east"].update(good)
    assert found(file.write(options, listen, **common)) == {"west: BW043 tls_cert"}


def test_the_process_is_looked_at_once(file, staged):
    def limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (6000, 6000))

    def needed(*names):
        """With what is enough for one cluster."""
        clusters = {name: {**of, "maxconn": 2000} for name, of in urls_of(staged).items() if name in names}
        return found(file.write(clusters, admin="0.0.0.0:0"), "--live", before=limit)

    assert needed("east") == {"BW052 0.0.0.0:0"}
    assert needed("east", "west") == {"BW048 maxconn", "BW052 0.0.0.0:0"}


def test_live_tells_of_each_cluster_under_its_name(file, tmp_path):
    with contextlib.ExitStack() as ended:
        sims = {name: ended.enter_context(SimCluster.running(tmp_path / name, tls=False)) for name in NAMES}
        path = file.write(urls_of(sims))
        done = check(path, "--live")
        assert done.returncode == 0, done
        seen, summary = done.stdout.split(f"{path}: fine\n")
        for name, other in (NAMES, NAMES[::-1]):
            for text in (seen, summary):
                assert all(node.url.split("//")[1] in parts(text)[name] for node in sims[name].nodes), text
                assert not any(node.url.split("//")[1] in parts(text)[name] for node in sims[other].nodes), text
        followers = {name: next(node for node in sim.nodes if node.index != sim.leader()) for name, sim in sims.items()}
        missing, foreign = (followers[name].url.split("//")[1] for name in NAMES)
        sims["east"].kill(followers["east"].index)
        sims["west"].make_foreign(followers["west"].index)
        assert found(path, "--live") == {f"east: BW001 {missing}", f"west: BW032 {foreign}"}
        done = check(path, "--live")
        assert done.returncode == 1 and "fine" not in done.stdout, done
        told = {name: [line.split(":")[1].split()[0] for line in text.splitlines() if line.startswith(("  problem: ", "  note: "))]
                for name, text in parts(done.stdout).items()}
        assert told == {"": [], "east": ["BW001"], "west": ["BW032"]}, done.stdout
        nodes = json.loads(check(path, "--live", "--json").stdout)["nodes"]
        assert [(each["cluster"], each["url"]) for each in nodes] == [(name, url) for name in NAMES for url in sims[name].urls]


def test_the_same_trouble_of_two_clusters_is_said_of_each(file, staged):
    for cluster in staged.values():
        for node in cluster.nodes:
            node.status, node.health["standby"] = 429, True
            node.leader = {"ha_enabled": True, "raft_committed_index": 1, "raft_applied_index": 1}
    assert found(file.write(urls_of(staged)), "--live") == {"east: BW033 cluster", "west: BW033 cluster"}


def test_a_node_that_leads_to_the_listener_of_another_cluster_is_found(file, staged, tmp_path):
    (port,) = free_ports(1)
    hosts = HostsFile(tmp_path, {"self.test": "127.0.0.1"})
    clusters = urls_of(staged)
    clusters["east"]["nodes"] = [*clusters["east"]["nodes"], f"http://self.test:{port}"]
    path = file.write(clusters, [{"address": "127.0.0.1:0", "cluster": "east"}, {"address": f"127.0.0.1:{port}", "cluster": "west"}])
    back = f"east: BW046 self.test:{port}"
    assert found(path, wrapper=hosts.wrapper()) == {back}
    assert found(path, "--live", wrapper=hosts.wrapper()) == {back, f"east: BW001 self.test:{port}"}


def test_clusters_are_asked_side_by_side(file):
    """Eight that accept and say nothing take as long as one."""
    with contextlib.ExitStack() as held:
        servers = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(8)]
        clusters = {f"c{at}": {"nodes": ["http://%s:%d" % each.getsockname()]} for at, each in enumerate(servers)}
        path = file.write(clusters, maxconn=100, timeout_connect="2s", timeout_check="2s")
        began = time.monotonic()
        expected = {f"{name}: BW005 {of['nodes'][0].split('//')[1]}" for name, of in clusters.items()}
        assert found(path, "--live") == expected
        assert time.monotonic() - began < 12


def test_running_tells_of_each_cluster_too(file, staged, tmp_path):
    path, control = file.write(urls_of(staged)), tmp_path / "control.sock"
    with Bellwether(tmp_path, ["-f", path, "--control", control, "--admin", "127.0.0.1:0"]) as proxy:
        proxy.wait_ready()
        staged["west"].nodes[1].health["sealed"], staged["west"].nodes[1].status = True, 503
        options = urls_of(staged)
        options["east"]["inter"] = "700ms"
        done = check(file.write(options), "--running", "--live", "--control", str(control))
        assert done.returncode == 3, done
        seen, running = done.stdout.split(f"{path}: a reload would change:\n")
        assert "BW023" in parts(seen)["west"] and "BW" not in parts(seen)["east"], done.stdout
        assert "east: inter" in running and "west" not in running, done.stdout
