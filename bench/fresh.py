#!/usr/bin/env python3
"""Question: what do verified answers (`fresh`) cost, in requests per second, in latency and in CPU of the leader?

Method: a cluster of three on loopback, a KV secret of a few bytes, wrk reading it over kept-alive plain HTTP through two
Bellwethers in http mode that differ in `fresh` alone, taking turns; TLS to the nodes of the real cluster. CPU is that of
the leader's process over the round, per answered read. Figures of the run that decided: src/DECISIONS.md.

Usage: bench/fresh.py [sim|real] [--rounds N] [--seconds S]      needs wrk; `real` needs bao or vault on PATH
"""
import argparse
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path += [str(ROOT / "tests/support"), str(ROOT / "tests/real")]

from house.bellwether import LOOPBACK, Bellwether  # noqa: E402
from house.sim_cluster import SimCluster  # noqa: E402
from real_cluster import RealCluster  # noqa: E402
from scenario import to_nodes  # noqa: E402
from server import find_server  # noqa: E402

PATH = "/v1/secret/data/bench"
UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3}


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def load(proxy, token, connections, seconds):
    said = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}", "--latency", "-H", f"X-Vault-Token: {token}",
                           f"http://{proxy.address}{PATH}"], capture_output=True, text=True, check=True).stdout
    assert "Non-2xx" not in said, said
    found = dict(re.findall(r"(50|99)%\s+([\d.]+(?:us|ms|s))", said))
    millis = {key: float(re.match(r"[\d.]+", value).group()) * UNITS[re.sub(r"[\d.]+", "", value)] for key, value in found.items()}
    return float(re.search(r"Requests/sec:\s+([\d.]+)", said).group(1)), millis["50"], millis["99"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", nargs="?", default="real", choices=["sim", "real"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5)
    wanted = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="bench-fresh-"))
    cluster = RealCluster(find_server(), folder / "nodes") if wanted.kind == "real" else SimCluster(folder / "nodes", tls=False)
    try:
        cluster.start()
        leader = cluster.wait_for_leader()
        assert cluster.call(leader, "POST", PATH, {"data": {"a": "b"}}).status == 200
        pid = cluster.nodes[leader].process.pid if wanted.kind == "real" else cluster._process.pid
        words = [*LOOPBACK, "--mode", "http", *(to_nodes(cluster) if cluster.tls else cluster.urls)]
        with Bellwether(folder, words, name="off") as off, Bellwether(folder, [*words, "--fresh"], name="on") as on:
            off.wait_ready()
            on.wait_ready()
            for connections in (1, 32):
                measure(cluster, pid, {"off": off, "on": on}, connections, wanted)
    finally:
        cluster.end()


def measure(cluster, pid, proxies, connections, wanted):
    rows = {name: [] for name in proxies}
    for turn in range(wanted.rounds):
        for name in sorted(proxies, reverse=turn % 2 == 0):
            proxy = proxies[name]
            probes, cpu = proxy.metrics().sum("bellwether_probes_total"), cpu_seconds(pid)
            rate, p50, p99 = load(proxy, cluster.token, connections, wanted.seconds)
            probes = proxy.metrics().sum("bellwether_probes_total") - probes
            rows[name].append((rate, p50, p99, 1e6 * (cpu_seconds(pid) - cpu) / (rate * wanted.seconds), probes / wanted.seconds))
    for name, figures in rows.items():
        rate, p50, p99, cpu, probes = (statistics.median(column) for column in zip(*figures))
        print(f"{connections:3} connections, fresh {name:3}: {rate:8.0f} reads/s, p50 {p50:.2f} ms, p99 {p99:.2f} ms, "
              f"leader {cpu:.0f} us CPU per read, {probes:.0f} probes/s", flush=True)


if __name__ == "__main__":
    main()
