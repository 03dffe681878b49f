#!/usr/bin/env python3
"""Question: what do clients with kept-alive connections notice of a change of leader in tcp passthrough?

Method: one cluster (a real OpenBao or Vault with raft where one is found, else the simulated one), and before it HAProxy with
its best tcp configuration (bench/failover.py) and Bellwether with its defaults. For each fault the two take turns (A B, B A,
...). Four clients in a closed loop write a number and read it back, without a pause and without repeating anything themselves:
Go's net/http with HTTP/2 (as Vault's command line: "cli") and with HTTP/1.1 ("go"), hvac, and Node's https; where go or node is
not installed, hvac takes its place. A client that gives a connection to the next request before it has read that it ended, as
Node does and Go's at times, sees two errors of a step-down: the old leader's own and that one. Counted per fault: requests
without a good answer, and reads that are older than a write acknowledged before them. A read or an error is late if its request
began more than 50 ms after the new leader's first 200, which the nodes are asked for directly every 5 ms; "known" reads began
after Bellwether's own log said that the old leader does not lead. Added delay: from that first 200 to a client's first success,
median over clients and rounds.

Usage: bench/keepalive.py [--faults step_down:5,seal:5] [--cluster auto|sim|real] [--only CONTESTANT] [--json FILE] [--keep FOLDER]
       `./dev bench keepalive` builds the program first. Ends with 1 if Bellwether broke a promise of its own: a seal costs each client
       at most one error and a step-down two, no known read is stale, nothing is late.
"""
import argparse
import dataclasses
import datetime
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests" / folder) for folder in ("support", "real", "rounds")] + [str(ROOT / "bench")]
os.environ.setdefault("BELLWETHER_BINARY", str(ROOT / "build/release/bin/bellwether"))

from failover import HAPROXY, HAPROXY_CONFIG  # noqa: E402
from faults import parse  # noqa: E402
from house.bellwether import Bellwether  # noqa: E402
from house.ports import free_ports  # noqa: E402
from house.processes import Process  # noqa: E402
from house.sim_cluster import SimCluster  # noqa: E402
from house.waiting import wait_until  # noqa: E402
from house.web import request  # noqa: E402
from nodes_watch import NodesWatch  # noqa: E402
from real_cluster import RealCluster  # noqa: E402
import server  # noqa: E402

CLIENTS = ROOT / "bench/clients"
LATE = 0.050  # seconds after the new leader's first 200
SETTLE = 1.5  # seconds of load before and after


class Client:
    """A process in a closed loop; what it prints is kept."""

    def __init__(self, kind, words, environment):
        self.kind = kind
        self.exchanges = []
        self._lock = threading.Lock()
        self._child = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._child.stdout:
            with self._lock:
                self.exchanges.append(json.loads(line))

    def successes(self):
        with self._lock:
            return sum(1 for one in self.exchanges if one["status"] == 200)

    def end(self):
        self._child.stdin.close()
        try:
            self._child.wait(25)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._reader.join(5)


def client_words(folder):
    """By kind of client: its command before and behind what all are given."""
    python = [sys.executable, str(CLIENTS / "loop.py")]
    words = {"cli": None, "go": None, "hvac": (python + ["hvac"], []), "node": None}
    if shutil.which("go"):
        program = folder / "loop"
        subprocess.run(["go", "build", "-o", program, CLIENTS / "loop.go"], check=True)
        words["cli"] = ([str(program)], [])
        words["go"] = ([str(program)], ["http1"])
    if shutil.which("node"):
        words["node"] = (["node", str(CLIENTS / "loop.js")], [])
    for kind, command in words.items():
        if command is None:
            print(f"the tool for {kind} is not installed: hvac takes its place")
            words[kind] = words["hvac"]
    return words


class HaproxyContestant:
    name = "HAProxy"

    def __init__(self, cluster, folder):
        tcp, http = free_ports(2)
        nodes = [(node.name, node.url.split("//")[1]) for node in cluster.nodes]
        name = cluster.tls.server_name
        config = folder / "haproxy.cfg"
        config.write_text(HAPROXY_CONFIG.format(
            tcp=tcp, http=http, tls=f"ca-file {cluster.tls.ca_file} verify required verifyhost {name}",
            tcp_servers="\n".join(f"  server {node} {address} check-ssl check-sni {name}" for node, address in nodes),
            http_servers="\n".join(f"  server {node} {address} ssl sni str({name}) check-sni {name}"
                                   for node, address in nodes)), encoding="utf-8")
        self.proxy = Process("haproxy", [HAPROXY, "-db", "-f", config], folder / "haproxy.log")
        self.url = f"https://127.0.0.1:{tcp}"

    def known(self, _since):
        return None

    def log_since(self, _since):
        return []


class BellwetherContestant:
    name = "Bellwether"

    def __init__(self, cluster, folder):
        config = folder / "bellwether.json"
        config.write_text(json.dumps({
            "listen": "127.0.0.1:0", "admin": "127.0.0.1:0", "nodes": cluster.urls, "ca_file": cluster.tls.ca_file,
            "server_name": cluster.tls.server_name}), encoding="utf-8")
        self.proxy = Bellwether(folder, ["-f", config]).wait_ready()
        self.url = f"https://{self.proxy.addresses[0]}"

    def known(self, since):
        """When its log said first that the old leader does not lead."""
        return min((at for at, line in self._lines(since) if line.event in ("leader_lost", "leader_changed")), default=None)

    def log_since(self, since):
        return [f"{(at - since) * 1000:+.0f} ms {line}" for at, line in self._lines(since)]

    def _lines(self, since):
        stamped = ((datetime.datetime.fromisoformat(line.time.replace("Z", "+00:00")).timestamp(), line)
                   for line in self.proxy.events())
        return [(at, line) for at, line in stamped if at >= since]


@dataclasses.dataclass
class Seen:
    """One fault through one proxy."""

    election: float
    errors: dict  # by kind of client
    stale: int
    late_errors: int
    late_stale: int
    known_stale: int | None
    delays: list  # milliseconds, one a client
    requests: int
    texts: list
    log: list


def look(clients, struck, claimed, known, log):
    seen = Seen(round((claimed - struck) * 1000), {}, 0, 0, 0, 0 if known else None, [], 0, [], log)
    for client in clients:
        acknowledged, first_success, before = 0, None, None
        seen.errors[client.kind] = seen.errors.get(client.kind, 0)
        for one in client.exchanges:
            since = one["begun"] - claimed
            seen.requests += 1
            is_stale = one["op"] == "read" and one["status"] == 200 and one["number"] < acknowledged
            if one["status"] != 200:
                seen.errors[client.kind] += 1
                is_of_node = client.kind == "node" and one["status"] == 0 and before is not None and before["status"] != 200
                seen.late_errors += since > LATE and not is_of_node
                seen.texts.append(f"{client.kind} {one['op']} begun {(one['begun'] - struck) * 1000:+.0f} ms, "
                                  f"ended {(one['ended'] - struck) * 1000:+.0f} ms: {one['status']} {one['said'].strip()[:120]}")
            elif is_stale:
                seen.stale += 1
                seen.late_stale += since > LATE
                if known and one["begun"] > known:
                    seen.known_stale += 1
                seen.texts.append(f"{client.kind} stale read begun {(one['begun'] - struck) * 1000:+.0f} ms")
            elif one["ended"] >= claimed and first_success is None and one["op"] == "write":
                first_success = one["ended"]
            before = one
            if one["op"] == "write" and one["status"] == 200:
                acknowledged = one["number"]
        if first_success is not None:
            seen.delays.append(round((first_success - claimed) * 1000, 1))
    return seen


def run_round(cluster, contestant, fault, words, number):
    cluster.heal()
    old = cluster.wait_for_leader()
    wait_until(lambda: request(contestant.url + "/v1/sys/health", tls=cluster.tls, timeout=2).status == 200, 30,
               f"{contestant.name} to serve")
    environment = {**os.environ, "BENCH_TOKEN": cluster.token}
    clients = [Client(kind, [*command, contestant.url, cluster.tls.ca_file, cluster.tls.server_name,
                             f"{contestant.name.lower()}-{fault.name}-{number}-{kind}", *options], environment)
               for kind, (command, options) in words.items()]
    watch = NodesWatch(cluster, old=old)
    try:
        wait_until(lambda: all(client.successes() > 20 for client in clients), 60, "all clients to be served")
        time.sleep(SETTLE)
        watch.begin()
        struck = time.time()
        fault.strike(cluster, old)
        wait_until(watch.first_claim, 60, f"a leader after {fault.name}")
        claimed = watch.first_claim()[1] + time.time() - time.monotonic()
        before = [client.successes() for client in clients]
        wait_until(lambda: all(client.successes() > was + 10 for client, was in zip(clients, before)), 60,
                   "all clients to be served again")
        time.sleep(SETTLE)
    finally:
        watch.stop()
        for client in clients:
            client.end()
    return look(clients, struck, claimed, contestant.known(struck), contestant.log_since(struck))


def tell(name, fault, rounds):
    clients = sorted(rounds[0].errors)
    errors = {kind: [one.errors[kind] for one in rounds] for kind in clients}
    delays = [delay for one in rounds for delay in one.delays]
    known = [one.known_stale for one in rounds if one.known_stale is not None]
    print(f"{name:10s} {fault:10s} rounds {len(rounds)}  errors {sum(map(sum, errors.values())):4d} "
          f"(most of one client in one fault {max(map(max, errors.values()))})  stale {sum(one.stale for one in rounds):3d}  "
          f"late errors {sum(one.late_errors for one in rounds):3d}  late stale {sum(one.late_stale for one in rounds):3d}  "
          f"known stale {sum(known) if known else '-'}  added median {statistics.median(delays):.0f} max {max(delays):.0f} ms  "
          f"requests {sum(one.requests for one in rounds)}  by client {({kind: sum(count) for kind, count in errors.items()})}",
          flush=True)


def broken_promises(fault, one):
    broken = []
    allowed = {"seal": 1, "step_down": 2}.get(fault.name)
    broken += [f"{kind} saw {count} errors" for kind, count in one.errors.items() if allowed and count > allowed]
    if one.known_stale:
        broken.append("a read was stale although the demotion was known")
    if one.late_errors or one.late_stale:
        broken.append("a request went wrong later than 50 ms after the new leader")
    return broken


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faults", default="step_down:5,seal:5")
    parser.add_argument("--cluster", choices=("auto", "sim", "real"), default="auto")
    parser.add_argument("--only", choices=("HAProxy", "Bellwether"))
    parser.add_argument("--json")
    parser.add_argument("--keep", help="the folder to keep logs and data in")
    parser.add_argument("--verbose", action="store_true", help="every error, and Bellwether's log")
    arguments = parser.parse_args()
    if not pathlib.Path(HAPROXY).exists() and arguments.only != "Bellwether":
        raise SystemExit("bench: haproxy is not installed: apt-get install haproxy")
    faults = parse(arguments.faults)
    with tempfile.TemporaryDirectory() as scratch:
        return run(arguments, faults, pathlib.Path(arguments.keep or scratch))


def run(arguments, faults, folder):
    folder.mkdir(parents=True, exist_ok=True)
    found = None if arguments.cluster == "sim" else server.find_server()
    if arguments.cluster == "real" and not found:
        raise SystemExit("bench: no real server was found")
    cluster = RealCluster(found, folder / "cluster") if found else SimCluster(
        folder / "cluster", words=["--election", "0.5s", "--crash-election", "0.5s"])
    words = client_words(folder)
    results, broken, proxies = {}, [], []
    try:
        cluster.start()
        for each in (HaproxyContestant, BellwetherContestant):
            if arguments.only in (None, each.name):
                (folder / each.name).mkdir(exist_ok=True)
                proxies.append(each(cluster, folder / each.name))
        for number, fault in enumerate(faults):
            for contestant in proxies if number % 2 == 0 else reversed(proxies):
                one = run_round(cluster, contestant, fault, words, number)
                results.setdefault(fault.name, {}).setdefault(contestant.name, []).append(one)
                print(f"  {number + 1:2d} {fault.name:10s} {contestant.name:10s} election {one.election} ms "
                      f"errors {one.errors} stale {one.stale} late {one.late_errors}+{one.late_stale} known {one.known_stale} "
                      f"added {one.delays}", flush=True)
                if contestant.name == "Bellwether":
                    broken += [f"{fault.name} {number + 1}: {what}" for what in broken_promises(fault, one)]
                if arguments.verbose:
                    print("\n".join(f"       {text}" for text in one.texts + one.log), flush=True)
    finally:
        for contestant in proxies:
            contestant.proxy.end()
        cluster.end()
    print(f"\n{found.version if found else 'simulated cluster'}; four clients in a closed loop, tcp passthrough")
    for fault, by_name in results.items():
        for name, rounds in by_name.items():
            tell(name, fault, rounds)
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(
            {fault: {name: [dataclasses.asdict(one) for one in rounds] for name, rounds in by_name.items()}
             for fault, by_name in results.items()}, indent=1), encoding="utf-8")
    for what in broken:
        print(f"broken: {what}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
