#!/usr/bin/env python3
"""Question: do the clients of one cluster notice that another cluster of the same process changes its leader each second?

Method: two simulated clusters of three nodes on loopback, "busy" and "stormy", each with an http listener. wrk asks busy in a closed
loop over kept connections and tells the 50th and the 99th percentile of the latency. In three set-ups, by turns, round after round:
one process serves both clusters and stormy's leader stands down each second; the same with a process for each cluster; one process,
and stormy keeps its leader. The first two cost the machine the same (the simulated cluster elects, the program follows), so that
their ratio, round by round, is what it means to share a process; the third shows what the machine gives when nothing happens.
Counted: changes of stormy's leader that were followed, answers to busy's clients that are neither 2xx nor 3xx, socket errors.

Last figures (30 Nov 2026, Debian 12, two cores, five rounds of 5 s): p99 of one process / two processes 0.71 / 0.87 / 1.35 (min,
median, max; 1.4 to 2.6 ms, quiet 1.1 to 1.8), p50 0.91 / 0.97 / 1.13; 20 changes of stormy's leader each, 1.1 million requests to
busy each, none of them wrong.

Usage: bench/clusters.py [--rounds 5] [--seconds 6] [--connections 8]
       `./dev bench clusters` builds the program first. Ends with 1 if a client of busy got an error.
"""
import argparse
import contextlib
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests/support")]
os.environ.setdefault("BELLWETHER_BINARY", str(ROOT / "build/release/bin/bellwether"))

from house.bellwether import Bellwether  # noqa: E402
from house.ports import free_ports  # noqa: E402
from house.sim_cluster import SimCluster  # noqa: E402
from house.waiting import wait_until  # noqa: E402

PATH = "/v1/sys/internal/ui/mounts/secret/x"
UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3}


class Storm:
    """The leader of the cluster stands down each second, until end()."""

    def __init__(self, sim):
        self._sim = sim
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        while not self._stop.wait(1):
            leader = self._sim.leader()
            if leader is not None:
                with contextlib.suppress(OSError, AssertionError):
                    self._sim.step_down(leader)

    def end(self):
        self._stop.set()
        self._thread.join()


def cluster(name, sim):
    return {"name": name, "nodes": [{"url": node.url, "name": node.name} for node in sim.nodes]}


def started(folder, sims):
    """One process for these clusters: it, and the address of each one's listener."""
    addresses = {name: f"127.0.0.1:{port}" for name, port in zip(sims, free_ports(len(sims)))}
    config = {"mode": "http", "admin": "127.0.0.1:0", "clusters": [cluster(name, sim) for name, sim in sims.items()],
              "listen": [{"address": address, "cluster": name} for name, address in addresses.items()]}
    own = pathlib.Path(tempfile.mkdtemp(dir=folder))  # its log tells where it listens
    file = own / "bellwether.json"
    file.write_text(json.dumps(config))
    proxy = Bellwether(own, ["-f", str(file)])
    try:
        wait_for_leaders(proxy, sims)
    except BaseException:
        proxy.end()
        raise
    return proxy, addresses


def wait_for_leaders(proxy, names):
    for name in names:
        wait_until(lambda name=name: proxy.get(f"/clusters/{name}/readyz").status == 200, 30, f"a leader of {name}")


def epoch(proxy):
    return proxy.get("/clusters/stormy/status").json()["epoch"]


def asked(address, token, seconds, connections):
    """What wrk says: {50: ms, 99: ms}, requests, and answers and connections that went wrong."""
    words = ["wrk", "-t", "1", "-c", str(connections), "-d", f"{seconds}s", "--latency", "-H", f"X-Vault-Token: {token}",
             f"http://{address}{PATH}"]
    text = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    at = {int(share): float(value) * UNITS[unit] for share, value, unit in re.findall(r"(\d+)%\s+([\d.]+)(us|ms|s)", text)}
    wrong = sum(int(number) for line in re.findall(r"(?:Socket errors|Non-2xx or 3xx responses):(.*)", text)
                for number in re.findall(r"\d+", line))
    return at, int(re.search(r"(\d+) requests in", text).group(1)), wrong


def measure(folder, sims, kind, options):
    """One round of one set-up: {50, 99}, requests, wrong answers, changes that were followed."""
    with contextlib.ExitStack() as ended:
        if kind == "two processes":
            busy, addresses = started(folder, {"busy": sims["busy"]})
            ended.callback(busy.end)
            stormy, _ = started(folder, {"stormy": sims["stormy"]})
            ended.callback(stormy.end)
        else:
            stormy, addresses = started(folder, sims)
            ended.callback(stormy.end)
        before = epoch(stormy)
        storm = Storm(sims["stormy"]) if kind != "quiet" else None
        try:
            told = asked(addresses["busy"], sims["busy"].token, options.seconds, options.connections)
        finally:
            if storm:
                storm.end()
        return (*told, epoch(stormy) - before)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=6)
    parser.add_argument("--connections", type=int, default=8)
    options = parser.parse_args()
    kinds = ("one process", "two processes", "quiet")
    found = {kind: [] for kind in kinds}
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as ended:
        folder = pathlib.Path(name)
        sims = {each: ended.enter_context(SimCluster.running(folder / each, tls=False)) for each in ("busy", "stormy")}
        for number in range(options.rounds):
            for kind in kinds:
                found[kind].append(measure(folder, sims, kind, options))
                at, requests, wrong, changes = found[kind][-1]
                print(f"round {number + 1}  {kind:14} p50 {at[50]:7.3f} ms  p99 {at[99]:7.3f} ms  {requests:7} requests  "
                      f"{wrong} wrong  {changes} changes of stormy's leader", flush=True)
                sims["stormy"].wait_for_leader()
    for share in (50, 99):
        ratios = [one[0][share] / two[0][share] for one, two in zip(found["one process"], found["two processes"])]
        print(f"p{share}: one process / two processes  {min(ratios):.2f} / {statistics.median(ratios):.2f} / {max(ratios):.2f}"
              "  (min, median, max)")
    return 1 if any(wrong for rounds in found.values() for _, _, wrong, _ in rounds) else 0


if __name__ == "__main__":
    sys.exit(main())
