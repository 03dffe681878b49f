"""Two instances behind an address that keepalived moves (packaging/keepalived): what clients notice, beside HAProxy."""

import json
import pathlib
import re
import shutil
import signal
import subprocess

import pytest

from house import network
from house.address_pair import PORT, Asker, Pair, keepalived_configuration
from house.bellwether import binary, repository_root
from house.processes import Process
from house.sim_cluster import SimCluster
from house.waiting import wait_until

README = pathlib.Path(repository_root()) / "packaging/keepalived/README.md"
# keepalived asks each second, twice; then the other one waits for three adverts at most. The rest is for slow machines.
LONGEST_OUTAGE = 8
HAPROXY = """
global
    grace 5s
    hard-stop-after 25s
defaults
    mode http
    timeout connect 3s
    timeout client 1h
    timeout server 2m
    option redispatch
frontend clients
    bind :{port}
    default_backend nodes
frontend look
    bind 127.0.0.1:8209
    monitor-uri /readyz
    monitor fail if {{ nbsrv(nodes) eq 0 }}
    monitor fail if {{ stopping -m bool }}
    http-request return status 200 if {{ path /healthz }}
backend nodes
    option httpchk GET /v1/sys/health
    http-check expect status 200
    default-server inter 1s fastinter 100ms rise 1 fall 2
"""


@pytest.fixture
def sim(tmp_path):
    if reason := network.why_not():
        pytest.skip(f"a network of its own: {reason}")
    for tool in ("keepalived", "haproxy", "curl"):
        assert shutil.which(tool, path="/usr/sbin:/usr/bin:/sbin:/bin"), f"there is no {tool}: ./dev install-deps test"
    with network.own_network():
        words = [word for port in (18201, 18202, 18203) for word in ("--address", f"{network.OWN_ADDRESS}:{port}")]
        with SimCluster.running(tmp_path / "sim", tls=False, words=words) as made:
            yield made


def start_bellwether(folder, sim):
    """Returns what starts one on a host, with the options that the README names."""
    options = json.loads(re.search(r"```json\n(.*?)```", README.read_text(encoding="utf-8"), re.S).group(1))
    config = folder / "bellwether.json"
    config.write_text(json.dumps({**options, "nodes": sim.urls}), encoding="utf-8")
    return lambda host: Process(host.name, [*host.words(), binary(), "run", "-f", config], folder / f"{host.name}.bellwether.log",
                                env={"BELLWETHER_CONTROL": "off"})


def start_haproxy(folder, sim):
    servers = "\n".join(f"    server n{at} {url.removeprefix('http://')} check" for at, url in enumerate(sim.urls))
    config = folder / "haproxy.cfg"
    config.write_text(f"{HAPROXY.format(port=PORT)}{servers}\n", encoding="utf-8")
    return lambda host: Process(host.name, [*host.words(), "haproxy", "-db", "-f", config], folder / f"{host.name}.haproxy.log")


def kill(member):
    member.balancer.kill()


def unplug(member):
    member.host.unplug()


def drain(member):
    member.balancer.terminate()


def drain_haproxy(member):
    member.balancer.send(signal.SIGUSR1)


def name_of(cause):
    return cause.__name__


def fail_over(folder, sim, start, cause, name):
    """Returns the clients, after the address has moved and each has been served by the other host."""
    asked = {"path": "/v1/secret/data/none", "headers": {"X-Vault-Token": sim.token}}
    with Pair(folder, start) as pair, Asker(**asked, keeps=False) as fresh, Asker(**asked, keeps=True) as kept:
        askers = [fresh, kept]
        served_more(askers, 50)
        before = pair.owner()
        assert [each.errors for each in askers] == [[], []]
        cause(before)
        pair.wait_for_owner_other_than(before)
        served_more(askers, 50)
        if cause is drain:
            assert before.balancer.wait(40) == 0
            served_more(askers, 50)
    for each in askers:
        print(f"{name}, {name_of(cause)}, {each.name} connections: longest outage {each.longest_outage * 1000:.0f} ms,"
              f" {len(each.errors)} errors beside {each.answers} answers")
    for member in pair.members:
        member.balancer.expect_no_sanitizer_report()
    return askers


def served_more(askers, count):
    so_far = [each.answers for each in askers]
    wait_until(lambda: all(each.answers >= before + count for each, before in zip(askers, so_far)), 30, "all to be served")


@pytest.mark.parametrize("cause", [kill, unplug, drain], ids=name_of)
def test_the_address_moves_and_the_outage_is_short(sim, tmp_path, cause, capsys):
    with capsys.disabled():
        print()
        askers = fail_over(tmp_path, sim, start_bellwether(tmp_path, sim), cause, "bellwether")
    for each in askers:
        assert each.longest_outage < LONGEST_OUTAGE, each.errors[-3:]
        if cause is drain:
            # Nobody is refused. Only what is under way in the moment of the move can be lost: VRRP takes no connection along.
            assert len(each.errors) <= 1 and "Refused" not in "".join(each.errors), each.errors


@pytest.mark.slow
@pytest.mark.parametrize("cause", [kill, unplug, drain_haproxy], ids=name_of)
def test_haproxy_at_the_same_place_for_comparison(sim, tmp_path, cause, capsys):
    """Its figures are printed, not judged: what moves the address is the same."""
    with capsys.disabled():
        print()
        askers = fail_over(tmp_path, sim, start_haproxy(tmp_path, sim), cause, "haproxy")
    assert all(each.answers >= 100 for each in askers)


def faults(config):
    """What keepalived finds wrong with a file, but for the interface, which this machine may not have."""
    done = subprocess.run(["keepalived", "--config-test", f"--use-file={config}"], capture_output=True, text=True, check=False,
                          timeout=30)
    return [line for line in done.stderr.splitlines() if ": Line " in line and "interface" not in line]


def test_keepalived_finds_no_fault_in_the_example(tmp_path):
    config = tmp_path / "keepalived.conf"
    config.write_text(keepalived_configuration(), encoding="utf-8")
    assert faults(config) == []
    config.write_text(keepalived_configuration().replace("fall 2", "fal 2"), encoding="utf-8")
    assert len(faults(config)) == 2
