"""While one client takes all it can get, the others, the probes, a change of leader and SIGTERM do not wait for it.

A flood is a row of FLOODS: a kind of house.floods and where it goes. The limits for the release build (label
`resource`) are those that users are promised; under sanitizers everything takes several times as long.
"""

import contextlib
import json
import pathlib
import time

import pytest

from house.bellwether import Bellwether, is_sanitized
from house.floods import BLOCK, BODIES, Flood, Waits
from house.waiting import wait_until

# kind -> the listener it goes to, how many clients, and maxconn: there are 400 silent connections and bodies.
FLOODS = {
    "scrapes": ("admin", 2, 2000),
    "redirects": ("redirect", 2, 2000),
    "heads": ("http", 1, 2000),
    "silent-http": ("http", 1, 200),
    "silent-tcp": ("tcp", 1, 200),
    "silent-redirect": ("redirect", 1, 200),
    "silent-admin": ("admin", 1, 2000),
    "bodies-redirect": ("redirect", 1, 200),
    "bodies-http": ("http", 1, 2000),
}
INTER = 0.05
MIB = 1 << 20
ESTABLISHED = "01"  # in /proc/net/tcp


class Limits:
    def __init__(self, wait, pace, change, stop, memory):
        self.wait, self.pace, self.change, self.stop, self.memory = wait, pace, change, stop, memory


STRICT = Limits(wait=0.1, pace=0.9, change=2, stop=5, memory=64 * MIB)
SANITIZED = Limits(wait=2, pace=0.5, change=8, stop=15, memory=None)


class Site:
    """A listener of each mode before the simulated cluster."""

    def __init__(self, folder, sim, maxconn):
        config = {
            "listen": [{"address": "127.0.0.1:0", "mode": mode} for mode in ("tcp", "http", "redirect")],
            "nodes": sim.urls, "admin": "127.0.0.1:0", "control": "off", "inter": f"{int(INTER * 1000)}ms",
            "fastinter": "10ms", "maxconn": maxconn, "hard_stop_after": "1s"}
        path = folder / "floods.json"
        path.write_text(json.dumps(config))
        self.proxy = Bellwether(folder, ["-f", path])
        self.proxy.wait_ready()
        self.addresses = dict(zip(("tcp", "http", "redirect"), self.proxy.addresses))
        self.addresses["admin"] = self.proxy.admin.split("//")[1]

    def waits(self):
        """Clients that want little: of each listener, new ones and one that stays."""
        kinds = [("tcp", "/v1/sys/health"), ("http", "/v1/sys/health"), ("redirect", "/v1/secret/b"), ("admin", "/readyz")]
        return [Waits(self.addresses[where], target, kept) for where, target in kinds for kept in (False, where == "http")]

    def probes(self):
        return self.proxy.metrics().sum("bellwether_probes_total")


@pytest.fixture
def site(tmp_path, sim, name):
    made = Site(tmp_path, sim, FLOODS[name][2])
    with made.proxy:
        yield made


def watch(site, seconds):
    """Probes per second, and the longest wait of another client, while it lasts."""
    waits = site.waits()
    probes, began = site.probes(), time.monotonic()
    while time.monotonic() - began < seconds:
        for each in waits:
            each.ask()
    pace = (site.probes() - probes) / (time.monotonic() - began)
    return pace, max(max(each.seconds) for each in waits)


@contextlib.contextmanager
def flood(site, name):
    where, count, _ = FLOODS[name]
    with Flood(name.split("-")[0], site.addresses[where], count, blocks_of_bodies()):
        yield


def blocks_of_bodies():
    """A simulated node waits for a request for 10 s: with sanitizers only the smaller ones are all there by then."""
    return 3 if is_sanitized() else 15


def unread_bytes(url):
    """What a node's kernel has of its clients, and the node has not read, or not even been given yet."""
    port = f":{int(url.rsplit(':', 1)[1]):04X}"
    unread = 0
    for line in pathlib.Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
        _, local, remote, state, queues, *_ = line.split()
        sent, received = (int(queue, 16) for queue in queues.split(":"))
        if state == ESTABLISHED and local.endswith(port):
            unread += received
        if state == ESTABLISHED and remote.endswith(port):
            unread += sent
    return unread


def flood_has_risen(site, sim, name):
    """Connections that stay are there; requests without end have begun to be answered."""
    metrics = site.proxy.metrics()
    if name == "silent-admin":
        return metrics.sum("bellwether_admin_connections_made_room_total") > 0
    if name.startswith("silent"):
        return metrics.sum("bellwether_sessions_cut_total", reason="maxconn") > 0
    if name == "bodies-http":
        # All but the ends of the bodies have gone through, and the simulated node has read them: what is looked at are
        # connections that stay, not how many hundred megabytes a second that node takes.
        have_gone = metrics.sum("bellwether_bytes_total", direction="up") >= BODIES * blocks_of_bodies() * BLOCK
        return have_gone and unread_bytes(sim.urls[sim.leader()]) < 1 << 16
    if name in ("redirects", "bodies-redirect"):
        return metrics.sum("bellwether_redirects_total") > 400
    return name == "scrapes" or metrics.sum("bellwether_http_received_total") > 1000


def check_flood(site, sim, name, limits, seconds):
    quiet_pace, quiet_wait = watch(site, seconds)
    with flood(site, name):
        wait_until(lambda: flood_has_risen(site, sim, name), 60, "the flood to rise")
        pace, wait = watch(site, seconds)
        print(f"{name}: probes {pace:.0f}/s (quiet {quiet_pace:.0f}), worst wait {wait * 1000:.0f} ms "
              f"(quiet {quiet_wait * 1000:.0f}), memory {site.proxy.process.peak_rss_bytes() / MIB:.1f} MiB")
        assert pace >= limits.pace * quiet_pace
        assert wait <= limits.wait
        if limits.memory:
            assert site.proxy.process.peak_rss_bytes() <= limits.memory
        old, began = site.proxy.leader_by_log(), time.monotonic()
        sim.step_down(sim.leader())
        wait_until(lambda: site.proxy.leader_by_log() not in (None, old), 20, "the log to name the new leader")
        assert time.monotonic() - began <= limits.change
        began = time.monotonic()
        site.proxy.process.terminate()
        assert site.proxy.process.wait(30) == 0
        assert time.monotonic() - began <= limits.stop


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_starves_nobody(site, sim, name):
    check_flood(site, sim, name, SANITIZED if is_sanitized() else STRICT, seconds=2)


@pytest.mark.resource
@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_costs_others_at_most_100_ms(site, sim, name):
    if is_sanitized():
        pytest.skip("needs the release build")
    check_flood(site, sim, name, STRICT, seconds=5)
