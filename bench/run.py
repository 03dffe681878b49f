#!/usr/bin/env python3
"""Question: what does a request, a connection, a gigabyte and an idle connection cost through Bellwether, compared with
HAProxy as Debian ships it, or with another build of Bellwether?

Method: one active and two standby nodes that only answer (bench/load.cc), both proxies checking them every second on
their kind of /v1/sys/health request, all on loopback ports of the moment. The proxies run on one core, load and nodes
on another. For each scenario the contestants take turns (A B, B A, A B, ...), so that a machine that drifts hurts both;
the ratio is the median of the ratios of neighbours. CPU is the run time of all threads of the proxy process
(/proc/PID/task/*/schedstat) over the whole round, health checks included. Memory is the growth of the process's RSS
with idle connections that have each carried one request, on a process started for this.

Last figures (21 Nov 2026, Debian 12, HAProxy 2.6.12, two cores that others were using, 4 rounds of 2 s), as ratios:
keep-alive saturated 0.96, at 5,000 req/s 0.98, churn 1.00, bulk 0.30 (0.56 of HAProxy with splice-response), memory of
an idle connection 0.23 (0.74 KB).

Only ratios of one run mean something. The goals are those of the project's performance study.

Usage: bench/run.py [--mode tcp|http] [--against PROGRAM] [--rounds N] [--seconds S] [--only SCENARIO] [--smoke]
                    [--json FILE]
       --against names another build of Bellwether, which takes HAProxy's place: what did a change cost?
       BELLWETHER_BINARY names the program (default: build/release/bin/bellwether); `./dev bench` builds it first.
"""
import argparse
import glob
import json
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
BINARY = pathlib.Path(os.environ.get("BELLWETHER_BINARY", ROOT / "build/release/bin/bellwether"))
BUILD = ROOT / "build/bench"
BULK = 100_000_000

# name: (what is counted, load arguments, unit, scale of CPU seconds per counted thing)
SCENARIOS = {
    "keepalive": ("keep-alive, saturated (32 connections)", ["keepalive", "32"], "us/req", 1e6),
    "rate": ("keep-alive, 5,000 req/s (32 connections)", ["rate", "32"], "us/req", 1e6),
    "churn": ("a connection per request (16 at a time)", ["churn", "16"], "us/conn", 1e6),
    "bulk": ("bulk, 100 MB answers (4 connections)", ["bulk", "4"], "ms/GB", 1e12),
}
# As ratios to HAProxy. The memory of an idle connection: 1.0 KB, where HAProxy took 3.3 in tcp and 1.2 in http mode.
GOALS = {
    "tcp": {"keepalive": 0.97, "rate": 0.85, "churn": 0.95, "bulk": 0.30, "idle": 0.30},
    "http": {"keepalive": 0.75, "rate": 0.80, "churn": 0.90, "bulk": 0.30, "idle": 0.83},
}
GOAL_AGAINST_A_BUILD = 1.02

# Seconds times 1e12 over bytes are milliseconds per GB.


def fail(message):
    sys.exit(f"bench: {message}")


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def build_load():
    source, program = ROOT / "bench/load.cc", BUILD / "load"
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        BUILD.mkdir(parents=True, exist_ok=True)
        subprocess.run(["c++", "-std=c++20", "-O2", "-Wall", "-Wextra", "-o", program, source], check=True)
    return str(program)


def pinned(core, command):
    return ["taskset", "-c", str(core), *command]


class Process:
    """A child that ends with the bench, and whose output is shown if it should not have ended."""

    def __init__(self, name, command, directory):
        self.log = open(directory / f"{name}.log", "w+", encoding="utf-8")
        self.name = name
        self.child = subprocess.Popen(command, stdout=self.log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)

    def check(self):
        if self.child.poll() is not None:
            self.log.seek(0)
            fail(f"{self.name} ended with code {self.child.returncode}:\n{self.log.read()}")

    def cpu(self):
        total = 0
        for path in glob.glob(f"/proc/{self.child.pid}/task/*/schedstat"):
            total += int(pathlib.Path(path).read_text().split()[0])
        return total / 1e9

    def rss(self):
        for line in pathlib.Path(f"/proc/{self.child.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        fail("no VmRSS")

    def stop(self):
        if self.child.poll() is None:
            self.child.terminate()
            try:
                self.child.wait(5)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
        self.log.close()


class Bench:
    def __init__(self, options, directory, mode):
        self.options = options
        self.mode = mode
        self.directory = directory
        self.load = build_load()
        self.processes = []
        cores = sorted(os.sched_getaffinity(0))
        self.proxy_core, self.load_core = cores[0], cores[-1]
        if len(cores) < 2:
            print("warning: one core only; load and proxies share it")
        self.nodes = free_ports(3)
        self.start("nodes", pinned(self.load_core, [self.load, "backend", *map(str, self.nodes)]))

    def start(self, name, command):
        process = Process(name, command, self.directory)
        self.processes.append(process)
        return process

    def stop(self, process):
        self.processes.remove(process)
        process.stop()

    def start_haproxy(self, name="haproxy", splice=False):
        port = free_ports(1)[0]
        servers = "\n".join(f"  server vault{i} 127.0.0.1:{p}" for i, p in enumerate(self.nodes))
        config = self.directory / f"{name}.cfg"
        config.write_text(f"""global
  maxconn 4000
  nbthread 1
defaults
  mode {self.mode}
  timeout connect 3s
  timeout client 1h
  timeout server 1h
listen vault
  bind 127.0.0.1:{port}
  {"option splice-response" if splice else ""}
  {"http-reuse always" if self.mode == "http" else ""}
  option httpchk GET /v1/sys/health
  default-server check inter 1s fall 3 rise 2
{servers}
""", encoding="utf-8")
        haproxy = shutil.which("haproxy") or "/usr/sbin/haproxy"
        return self.ready(self.start(name, pinned(self.proxy_core, [haproxy, "-db", "-f", str(config)])), port)

    def start_bellwether(self, name="bellwether", binary=BINARY):
        port, admin = free_ports(2)
        urls = [f"http://127.0.0.1:{p}" for p in self.nodes]
        command = [str(binary), "run", "--listen", f"127.0.0.1:{port}", "--mode", self.mode, "--admin",
                   f"127.0.0.1:{admin}", *urls]
        return self.ready(self.start(name, pinned(self.proxy_core, command)), port)

    def start_peer(self, name="peer"):
        if self.options.against:
            return self.start_bellwether(name, self.options.against)
        return self.start_haproxy(name)

    def ready(self, process, port):
        """Until the active node answers through the proxy."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            process.check()
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/sys/health", timeout=2) as answer:
                    if answer.status == 200:
                        return process, port
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        fail(f"{process.name} did not serve within 20 s; its log: {process.log.name}")

    def client(self, port, arguments, seconds, last=None):
        command = [self.load, "client", str(port), *arguments, str(seconds)]
        if last is not None:
            command.append(str(last))
        done = subprocess.run(pinned(self.load_core, command), capture_output=True, text=True, check=False)
        if done.returncode != 0:
            fail(f"the load generator failed: {done.stderr}")
        return json.loads(done.stdout)

    def measure(self, scenario, contestant):
        process, port = contestant
        _, arguments, _, scale = SCENARIOS[scenario]
        last = {"rate": 5000, "bulk": BULK}.get(scenario)
        before = process.cpu()
        result = self.client(port, arguments, self.options.seconds, last)
        process.check()
        things = result["bytes" if scenario == "bulk" else "requests"]
        if things == 0:
            fail(f"nothing came through {process.name} in scenario {scenario}")
        cost = (process.cpu() - before) * scale / things
        return {"cost": cost, "per_second": things / result["seconds"], **result}

    def run_scenario(self, scenario, contestants):
        rounds = {name: [] for name in contestants}
        for name in contestants:  # a round that does not count: pools filled, code paged in
            self.client(contestants[name][1], SCENARIOS[scenario][1], 0.3, {"rate": 5000, "bulk": BULK}.get(scenario))
        for i in range(self.options.rounds):
            order = list(contestants) if i % 2 == 0 else list(reversed(contestants))
            for name in order:
                rounds[name].append(self.measure(scenario, contestants[name]))
        return rounds

    def idle_memory(self, start, connections):
        process, port = start("idle-" + start.__name__)
        before = process.rss()
        holder = subprocess.Popen([self.load, "client", str(port), "idle", str(connections), "0"],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if holder.stdout.readline().strip() != "ready":
            fail(f"{process.name} did not take {connections} connections")
        time.sleep(0.2)
        grown = process.rss() - before
        holder.stdin.close()
        holder.wait()
        self.stop(process)
        return grown / connections


def row(label, unit, peer, ours, ratio, goal):
    verdict = "met" if ratio <= goal else "not met"
    print(f"{label:<46} {unit:>8} {peer:>18} {ours:>18} {ratio:>7.2f}  {goal:.2f} {verdict}")


def spread(values):
    return f"{statistics.median(values):.1f} ({min(values):.1f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mode", choices=["tcp", "http"], default="tcp")
    parser.add_argument("--against", type=pathlib.Path, help="another build of Bellwether, in HAProxy's place")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--connections", type=int, default=1500, help="idle connections for the memory scenario")
    parser.add_argument("--only", choices=[*SCENARIOS, "idle"], action="append")
    parser.add_argument("--smoke", action="store_true", help="one short round: does it still run?")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    if options.smoke:
        options.rounds, options.seconds, options.connections = 1, 0.3, 100
    if not BINARY.exists():
        fail(f"{BINARY} is not built; `./dev bench` builds it")
    if options.against and not options.against.exists():
        fail(f"{options.against} does not exist; --against names another build of Bellwether")
    if not options.against and not (shutil.which("haproxy") or os.path.exists("/usr/sbin/haproxy")):
        print("bench: haproxy is not installed: apt-get install haproxy")
        sys.exit(77)  # ctest: skipped

    with tempfile.TemporaryDirectory(prefix="bw-bench-") as name:
        bench = Bench(options, pathlib.Path(name), options.mode)
        try:
            results = compare(bench, options)
        finally:
            for process in list(bench.processes):
                bench.stop(process)
    if failed := sum(r["errors"] for s in SCENARIOS for r in results.get(s, {}).get("bellwether", [])):
        fail(f"{failed} errors through Bellwether")
    if options.json:
        options.json.write_text(json.dumps(results, indent=1), encoding="utf-8")


def name_of_peer(options):
    if options.against:
        return str(options.against)
    version = subprocess.run(["/usr/sbin/haproxy", "-v"], capture_output=True, text=True, check=False).stdout
    return version.split(" - ")[0].strip()


def goal_of(scenario, options):
    return GOAL_AGAINST_A_BUILD if options.against else GOALS[options.mode][scenario]


def compare(bench, options):
    wanted = options.only or [*SCENARIOS, "idle"]
    peer = name_of_peer(options)
    print(f"Cost of {options.mode} mode against {peer}: proxy CPU per unit of work, median (min) of "
          f"{options.rounds} rounds of {options.seconds:g} s, taken in turns.\n"
          f"Ratio: Bellwether / peer, median over neighbouring rounds; below 1 Bellwether is cheaper.\n")
    print(f"{'scenario':<46} {'unit':>8} {'peer':>18} {'Bellwether':>18} {'ratio':>7}  goal")
    results = {}
    contestants = {"peer": bench.start_peer(), "bellwether": bench.start_bellwether()}
    for scenario in SCENARIOS:
        if scenario not in wanted:
            continue
        label, _, unit, _ = SCENARIOS[scenario]
        field = dict(contestants)
        if scenario == "bulk" and not options.against:
            field["haproxy with splice-response"] = bench.start_haproxy("haproxy-splice", splice=True)
        rounds = results[scenario] = bench.run_scenario(scenario, field)
        ours = [r["cost"] for r in rounds["bellwether"]]
        for name in [n for n in field if n != "bellwether"]:
            theirs = [r["cost"] for r in rounds[name]]
            ratio = statistics.median(a / b for a, b in zip(ours, theirs))
            is_splice = name != "peer"
            row(f"  ... {name}" if is_splice else f"{options.mode} {label}", unit, spread(theirs), spread(ours), ratio,
                1.0 if is_splice else goal_of(scenario, options))
        show_service(scenario, rounds)
    if "idle" in wanted:
        theirs = bench.idle_memory(bench.start_peer, options.connections)
        ours = bench.idle_memory(bench.start_bellwether, options.connections)
        results["idle"] = {"peer": theirs, "bellwether": ours, "connections": options.connections}
        row(f"memory of an idle connection ({options.connections})", "KB", f"{theirs / 1024:.2f}", f"{ours / 1024:.2f}",
            ours / theirs, goal_of("idle", options))
    rss = {name: process.rss() / 2**20 for name, (process, _) in contestants.items()}
    print(f"\nRSS after all this: peer {rss['peer']:.1f} MiB, Bellwether {rss['bellwether']:.1f} MiB.")
    return results


def show_service(scenario, rounds):
    """What the clients saw in the same rounds: cheap must not mean slow."""
    for name, taken in rounds.items():
        errors = sum(r["errors"] for r in taken)
        speed = statistics.median(r["per_second"] for r in taken)
        speed = f"{speed / 1e6:,.0f} MB/s" if scenario == "bulk" else f"{speed:,.0f}/s"
        latency = "".join(f", {q} {statistics.median(r[q] for r in taken):,.0f} us" for q in ("p50", "p99"))
        print(f"    {name:<30} {speed:>14}{'' if scenario == 'bulk' else latency}, {errors} errors")


if __name__ == "__main__":
    main()
