#!/usr/bin/env python3
"""Question: what do clients notice while the configuration is reloaded again and again, and while the program is replaced?

Method: a simulated cluster of five nodes on loopback and before it one Bellwether with listeners of all modes, http with TLS too.
wrk asks each of them in a closed loop, over kept connections and over one for each request. Meanwhile the configuration file is
written anew and reloaded: nodes come, go and are renamed (the leader stays), a listener comes and goes, timings and limits change;
with each tenth reload new requests are held by `bellwether pause` from before it until after it. Then the program is replaced by
itself (`bellwether upgrade`), each time beside the same load. Counted: what wrk calls socket errors (connect, read, write,
timeout) and answers that are neither 2xx nor 3xx. The first session of the tcp listener is kept from the start and must answer after
each tenth reload. RSS is read after each tenth reload; its slope is that of the least squares over the second half. What a reload
takes of the control loop is the worst lateness of a timer since the scrape before (bellwether_loop_lateness_seconds), beside the
same between two scrapes without a reload.

Last figures (30 Nov 2026, Debian 12, two cores): 1,500 reloads in 60 s, 2,100,000 requests, no error; a reload 13 ms as its command
takes it, the control loop late by 2.9 ms at worst (2.7 without a reload); RSS 16,860 KiB after 10 and 17,148 after 1,500, +0.03 KiB
per reload in the second half. 100 upgrades in 6 s beside 3,375 new connections per second: no error.

Usage: bench/changes.py [--reloads 500] [--upgrades 100] [--connections 4]
       `./dev bench changes` builds the program first. Ends with 1 if a client got an error.
"""
import argparse
import contextlib
import http.client
import json
import os
import pathlib
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests/support")]
os.environ.setdefault("BELLWETHER_BINARY", str(ROOT / "build/release/bin/bellwether"))

from house.bellwether import Bellwether, binary  # noqa: E402
from house.certificates import Certificates  # noqa: E402
from house.ports import free_ports  # noqa: E402
from house.processes import end_by_pid  # noqa: E402
from house.sim_cluster import SimCluster  # noqa: E402

PATH = "/v1/sys/internal/ui/mounts/secret/x"
NODES = 5


class Load:
    """wrk at one listener, until end()."""

    def __init__(self, name, url, token, connections, keeps):
        self.name = name
        words = ["wrk", "-t", "1", "-c", str(connections), "-d", "36000s", "--timeout", "30s", "-H", f"X-Vault-Token: {token}"]
        if not keeps:
            words += ["-H", "Connection: close"]
        self._process = subprocess.Popen([*words, url + PATH], stdout=subprocess.PIPE, text=True)

    def stop(self):
        """No-op after end()."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()

    def end(self):
        self._process.send_signal(signal.SIGINT)
        said = self._process.communicate(timeout=60)[0]
        self.requests = int(re.search(r"(\d+) requests in", said)[1])
        sockets = re.search(r"Socket errors: (.*)", said)
        answers = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
        self.errors = ", ".join(filter(None, [sockets and sockets[1], answers and f"answers {answers[1]}"]))


class Stand:
    def __init__(self, folder, sim):
        self.folder, self.sim = folder, sim
        names = ["http", "https", "tcp", "redirect", "admin", "more"]
        self.ports = dict(zip(names, free_ports(len(names))))
        made = Certificates(folder / "own")
        self._cert, self._key = made.issue("clients")
        self.file, self.socket = folder / "bellwether.json", folder / "control.sock"
        self.write(0)
        self.proxy = Bellwether(folder, ["-f", self.file], env={"BELLWETHER_CONTROL": ""})
        self.proxy.wait_ready()
        self.pid = self.proxy.pid

    def address(self, name):
        return f"127.0.0.1:{self.ports[name]}"

    def _nodes(self, turn):
        leader = self.sim.leader()
        others = [node for node in self.sim.nodes if node.index != leader]
        standbys = [others[(turn + i) % len(others)] for i in range(1 + turn % len(others))]
        named = [{"url": node.url, "name": f"standby-{turn % 7}-{node.index}"} if turn % 3 == 0 else {"url": node.url}
                 for node in standbys]
        return [{"url": self.sim.nodes[leader].url, "name": "leads"}, *named]

    def write(self, turn):
        listen = [{"address": self.address("http"), "mode": "http"},
                  {"address": self.address("https"), "mode": "http", "tls_cert": str(self._cert), "tls_key": str(self._key)},
                  {"address": self.address("tcp"), "mode": "tcp"}, {"address": self.address("redirect"), "mode": "redirect"}]
        if turn % 2:
            listen.append({"address": self.address("more"), "mode": ("http", "tcp", "redirect")[turn // 2 % 3]})
        config = {"listen": listen, "admin": self.address("admin"), "control": str(self.socket), "nodes": self._nodes(turn),
                  "inter": f"{900 + turn % 5 * 50}ms", "fall": 3 + turn % 2, "maxconn": 2000 + turn % 4,
                  "timeout_check": f"{2 + turn % 3}s", "hold_max": 1000 + turn % 6, "grace": f"{turn % 3}s",
                  "log_level": "warn" if turn else "info"}
        self.file.write_text(json.dumps(config), encoding="utf-8")

    def order(self, *words):
        done = subprocess.run([binary(), *words, "--control", self.socket], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"{words} failed: {done.stderr}")
        return done.stdout

    def reload(self, turn):
        self.write(turn)
        if turn % 10 == 0:
            self.order("pause")
        begun = time.monotonic()
        self.order("reload")
        took = time.monotonic() - begun
        if turn % 10 == 0:
            self.order("resume")
        return took

    def lateness(self):
        """In milliseconds, the worst since it was asked for last."""
        return 1000 * self.proxy.metrics().sum("bellwether_loop_lateness_seconds")

    def rss(self):
        return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{self.pid}/status").read_text(encoding="ascii"))[1])

    def upgrade(self):
        self.pid = json.loads(self.order("upgrade", "--json"))["pid"]

    def end(self):
        self.proxy.end()
        if self.pid != self.proxy.pid:
            end_by_pid(self.pid, binary())

    @contextlib.contextmanager
    def loads(self, connections):
        token = self.sim.token
        made = [Load(f"{name} {'kept' if keeps else 'one per request'}", f"{scheme}://{self.address(name)}", token, connections, keeps)
                for name, scheme, keeps in [("http", "http", True), ("http", "http", False), ("https", "https", True),
                                            ("tcp", "http", True), ("tcp", "http", False), ("redirect", "http", False)]]
        try:
            yield made
        finally:
            for each in made:
                each.stop()


def slope(values):
    """Of the least squares, per step."""
    mean_x, mean_y = (len(values) - 1) / 2, statistics.fmean(values)
    above = sum((x - mean_x) * (y - mean_y) for x, y in enumerate(values))
    return above / sum((x - mean_x) ** 2 for x in range(len(values)))


def ask_over(session, token):
    session.request("GET", PATH, headers={"X-Vault-Token": token})
    answer = session.getresponse()
    answer.read()
    return answer.status


def goes_on(session, token):
    try:
        return ask_over(session, token) == 200
    except (OSError, http.client.HTTPException):
        return False


def told_of(loads):
    for load in loads:
        load.end()
        print(f"  {load.name:<24} {load.requests:>9} requests   errors: {load.errors or 'none'}")
    return any(load.errors for load in loads)


def reloads(stand, count, loads):
    session = http.client.HTTPConnection("127.0.0.1", stand.ports["tcp"], timeout=30)
    ask_over(session, stand.sim.token)
    own_port = session.sock.getsockname()[1]
    took, late, quiet, memory, failed = [], [], [], [], False
    for turn in range(1, count + 1):
        stand.lateness()
        time.sleep(0.02)  # as long as a reload takes, for the comparison
        quiet.append(stand.lateness())
        took.append(1000 * stand.reload(turn))
        late.append(stand.lateness())
        if turn % 10 == 0:
            memory.append(stand.rss())
            failed = failed or not goes_on(session, stand.sim.token)  # a node ends what is idle for a minute
    failed = failed or not goes_on(session, stand.sim.token) or session.sock.getsockname()[1] != own_port
    print(f"{count} reloads: median {statistics.median(took):.0f} ms, longest {max(took):.0f} ms as the command takes it")
    print(f"  control loop late, ms: median {statistics.median(late):.1f} (without a reload {statistics.median(quiet):.1f}), "
          f"worst {max(late):.1f} ({max(quiet):.1f})")
    half = memory[len(memory) // 2:]
    print(f"  RSS {memory[0]} KiB after 10, {memory[-1]} KiB at the end; slope of the second half {slope(half) / 10:+.2f} KiB per reload"
          if len(half) > 1 else f"  RSS {stand.rss()} KiB")
    print(f"  the tcp session of before the first: {'ENDED' if failed else 'goes on'}")
    return told_of(loads) or failed


def upgrades(stand, count, loads):
    begun = time.monotonic()
    for _ in range(count):
        stand.upgrade()
    lasted = time.monotonic() - begun
    print(f"{count} upgrades in {lasted:.0f} s")
    failed = told_of(loads)
    fresh = sum(load.requests for load in loads if "one per" in load.name)
    print(f"  {fresh / lasted:.0f} new connections per second")
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reloads", type=int, default=500)
    parser.add_argument("--upgrades", type=int, default=100)
    parser.add_argument("--connections", type=int, default=4, help="of each of the six loads")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bellwether-changes-") as folder:
        folder = pathlib.Path(folder)
        with SimCluster.running(folder / "sim", tls=False, words=["--nodes", str(NODES)]) as sim:
            stand = Stand(folder, sim)
            failed = False
            try:
                for question, count in ((reloads, options.reloads), (upgrades, options.upgrades)):
                    if count > 0:
                        with stand.loads(options.connections) as loads:
                            failed |= question(stand, count, loads)
            finally:
                stand.end()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
