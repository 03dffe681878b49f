#!/usr/bin/env python3
"""Question: what do clients notice of a leader's end, through Bellwether and through HAProxy at its best?

Method: two simulated clusters alike (TLS, 0.5 s elections, demotions and crashes), one behind each proxy. Both proxies have
a tcp listener (TLS passthrough, a new connection for each request) and an http listener (plain HTTP from kept-alive
clients, TLS to the nodes). For each mode and fault the contestants take turns (A B, B A, ...): 200 requests/s, sent when
they are due, half of them numbered check-and-set writes and half reads of what was written; then the leader is struck,
and the load goes on until nothing fails or waits. Added delay is the time from the new leader's first 200, asked of the
nodes themselves every 5 ms, to the first success of a write (reads are also answered by standbys). All in one client process, whose own floor (asking the
leader directly) is printed first. Each round's history is judged as in tests/rounds.

HAProxy at its best: httpchk /v1/sys/health, inter 1s, fastinter and downinter 200ms, fall 2, rise 1, shutdown-sessions,
redispatch, in http mode retry-on all-retryable-errors.

Usage: bench/failover.py [--rounds N] [--faults kill,freeze,...] [--modes tcp,http] [--only CONTESTANT] [--smoke]
                         [--json FILE] [--keep FOLDER]
       BELLWETHER_BINARY names the program (default: build/release/bin/bellwether); `./dev bench failover` builds it first.
       Ends with 1 if Bellwether broke a promise of its own (see PROMISES).
"""
import argparse
import collections
import dataclasses
import datetime
import json
import os
import pathlib
import shutil
import statistics
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests/support"), str(ROOT / "tests/rounds")]
os.environ.setdefault("BELLWETHER_BINARY", str(ROOT / "build/release/bin/bellwether"))

from faults import FAULTS, Strike  # noqa: E402
from history import History, Outcome  # noqa: E402
from house.bellwether import Bellwether, binary  # noqa: E402
from house.ports import free_ports  # noqa: E402
from house.processes import Process  # noqa: E402
from house.sim_cluster import SimCluster  # noqa: E402
from house.waiting import wait_until  # noqa: E402
from house.web import request  # noqa: E402
from open_load import OpenLoad  # noqa: E402
from rounds import Rounds  # noqa: E402

RATE = 200
ELECTION = 0.5
GRACE = 1.0  # of Bellwether: how long an answer of a demoted leader is awaited
HAPROXY = shutil.which("haproxy") or "/usr/sbin/haproxy"
HAPROXY_CONFIG = """global
  maxconn 8000
  nbthread 1
defaults
  timeout connect 1s
  timeout client 60s
  timeout server 60s
  timeout http-keep-alive 60s
  retries 3
  option redispatch
  option httpchk GET /v1/sys/health
  default-server check inter 1s fastinter 200ms downinter 200ms fall 2 rise 1 on-marked-down shutdown-sessions {tls}
listen vault-tcp
  mode tcp
  bind 127.0.0.1:{tcp}
{tcp_servers}
listen vault-http
  mode http
  bind 127.0.0.1:{http}
  retry-on all-retryable-errors
{http_servers}
"""


class Contestant:
    """A cluster, a proxy before it, and the proxy's URL by mode."""

    def __init__(self, folder):
        self.cluster = SimCluster(folder / self.name, words=["--election", f"{ELECTION}s", "--crash-election", f"{ELECTION}s"])
        self.folder = folder
        self.urls = {}
        self.proxy = None

    def start(self):
        self.cluster.start()
        self._start_proxy()
        for mode, url in self.urls.items():
            wait_until(lambda url=url, mode=mode: request(
                url + "/v1/sys/health", tls=self.tls(mode), timeout=2).status == 200, 20, f"{self.name} to serve")

    def end(self):
        if self.proxy is not None:
            self.proxy.end()
        self.cluster.end()

    def tls(self, mode):
        return self.cluster.tls if mode == "tcp" else None

    def first_sign(self, _since):
        """The wall clock's time at which it noticed that something is wrong; None: it does not tell."""
        return None

    def log_since(self, _since):
        return []


class HaproxyContestant(Contestant):
    name = "HAProxy"

    def _start_proxy(self):
        tcp, http = free_ports(2)
        nodes = [(node.name, node.url.split("//")[1]) for node in self.cluster.nodes]
        name = self.cluster.tls.server_name
        config = self.folder / "haproxy.cfg"
        config.write_text(HAPROXY_CONFIG.format(
            tcp=tcp, http=http, tls=f"ca-file {self.cluster.tls.ca_file} verify required verifyhost {name}",
            tcp_servers="\n".join(f"  server {node} {address} check-ssl check-sni {name}" for node, address in nodes),
            http_servers="\n".join(f"  server {node} {address} ssl sni str({name}) check-sni {name}"
                                   for node, address in nodes)), encoding="utf-8")
        self.proxy = Process("haproxy", [HAPROXY, "-db", "-f", config], self.folder / "haproxy.log")
        self.urls = {"tcp": f"https://127.0.0.1:{tcp}", "http": f"http://127.0.0.1:{http}"}


class BellwetherContestant(Contestant):
    name = "Bellwether"

    def _start_proxy(self):
        config = self.folder / "bellwether.json"
        config.write_text(json.dumps({
            "listen": [{"address": "127.0.0.1:0", "mode": "http"}, {"address": "127.0.0.1:0", "mode": "tcp"}],
            "admin": "127.0.0.1:0", "nodes": self.cluster.urls, "ca_file": self.cluster.tls.ca_file,
            "server_name": self.cluster.tls.server_name}), encoding="utf-8")
        self.proxy = Bellwether(self.folder, ["-f", config]).wait_ready()
        http, tcp = self.proxy.addresses
        self.urls = {"tcp": f"https://{tcp}", "http": f"http://{http}"}

    def first_sign(self, since):
        signs = [at for at, line in self._lines_since(since)
                 if line.event in ("leader_suspect", "leader_lost", "leader_changed")]
        return min(signs, default=None)

    def log_since(self, since):
        return [f"+{(at - since) * 1000:.0f} ms {line}" for at, line in self._lines_since(since)]

    def _lines_since(self, since):
        stamped = ((datetime.datetime.fromisoformat(line.time.replace("Z", "+00:00")).timestamp(), line)
                   for line in self.proxy.events())
        return [(at, line) for at, line in stamped if at >= since]


@dataclasses.dataclass
class Seen:
    """What clients noticed in one round. Times in milliseconds."""

    election: float
    added: float
    failed: int
    duplicates: int
    lost: int
    stale: int
    slowest: float  # success
    longest: float  # success or not
    after_150_ms: int  # failed although sent later than that after the fault
    after_sign: int | None  # ... after the proxy noticed
    errors: list
    broken: list
    log: list


def millis(seconds):
    return round(seconds * 1000, 1)


def run_round(contestant, mode, fault, number):
    history = History()
    # No read is promised to be fresh, so that old ones are counted apart from lost writes.
    load = OpenLoad(history, RATE, f"{mode}-{fault.name}-{number}-open", url=contestant.urls[mode], tls=contestant.tls(mode),
                    token=contestant.cluster.token, keeps_alive=mode == "http", patience=15)
    rounds = Rounds(contestant.cluster, load, contestant.proxy.log, lambda _: None, is_fresh=False, say=lambda _: None,
                    settle=load.wait_until_quiet)
    history.allow_old_reads(time.monotonic() + 3600)  # so that they are counted apart from lost writes
    contestant.cluster.heal()
    load.start()
    try:
        load.wait_for_progress(RATE)
        rounds.run([Strike(fault, pause=0, lasts=0)])
    finally:
        load.stop()
    if load.missed:
        print(f"warning: {load.missed} requests were not sent: too many were unanswered")
    return look_at(contestant, rounds.rounds[0], history)


def look_at(contestant, done, history):
    struck_wall = done.struck + time.time() - time.monotonic()
    sign = contestant.first_sign(struck_wall)
    exchanges = history.exchanges(since=done.struck)
    # Of writes: reads are also answered by the old leader, once it is a standby.
    claimed = done.struck + done.election
    added = min(one.ended for one in exchanges if one.kind == "write" and one.outcome is Outcome.OK and one.ended >= claimed)
    broken = [violation.what for violation in history.violations()]
    errors = history.errors(since=done.struck)
    return Seen(
        election=millis(done.election), added=millis(added - claimed), failed=len(errors),
        duplicates=sum("twice" in what or "said not to be" in what for what in broken),
        lost=sum("twice" not in what and "said not to be" not in what for what in broken),
        stale=len(history.excused()),
        slowest=millis(max(one.ended - one.begun for one in exchanges if one.outcome is Outcome.OK)),
        longest=millis(max(one.ended - one.begun for one in exchanges)),
        after_150_ms=sum(one.begun > done.struck + 0.15 for one in errors),
        # The log is stamped in whole milliseconds.
        after_sign=None if sign is None else sum(one.begun > done.struck + sign - struck_wall + 0.001 for one in errors),
        errors=[f"+{millis(one.begun - done.struck):.0f} ms {one}" for one in errors],
        broken=[str(violation) for violation in history.violations()],
        log=contestant.log_since(struck_wall))


# name: (modes, faults, how it is kept by the rounds of one mode and fault)
PROMISES = {
    "added delay: median <= 20 ms, max <= 60 ms": (
        "tcp http", "kill", lambda seen: statistics.median(one.added for one in seen) <= 20
        and max(one.added for one in seen) <= 60),
    "0 failed requests": ("http", "step_down seal", lambda seen: not any(one.failed for one in seen)),
    "no request sent after suspicion fails": ("tcp", "step_down seal", lambda seen: not any(one.after_sign for one in seen)),
    "only requests of the first 150 ms fail": ("tcp http", "freeze", lambda seen: not any(one.after_150_ms for one in seen)),
    "nothing waits longer than the election + grace + 0.5 s": (
        "tcp http", "freeze", lambda seen: all(one.longest <= one.election + 1000 * GRACE + 500 for one in seen)),
    "0 duplicates, 0 lost writes": (
        "tcp http", "kill freeze step_down seal", lambda seen: not any(one.duplicates or one.lost for one in seen)),
}


def print_promises(results):
    print("\nWhat Bellwether promises:")
    broken = 0
    for promise, (modes, faults, is_kept) in PROMISES.items():
        for (name, mode, fault), seen in results.items():
            if name != BellwetherContestant.name or mode not in modes.split() or fault not in faults.split():
                continue
            kept = is_kept(seen)
            broken += not kept
            print(f"  {mode:4} {fault:9} {promise:<56} {'kept' if kept else 'BROKEN'} ({len(seen)} rounds)")
    return broken


def print_floor(contestant, mode):
    history = History()
    leader = contestant.cluster.nodes[contestant.cluster.wait_for_leader()]
    load = OpenLoad(history, RATE, f"floor-{mode}", url=leader.url, tls=contestant.cluster.tls,
                    token=contestant.cluster.token, keeps_alive=mode == "http")
    load.start()
    load.wait_for_progress(2 * RATE)
    load.stop()
    took = sorted(millis(one.ended - one.begun) for one in history.exchanges())
    print(f"the client alone, asking the leader directly, {'new' if mode == 'tcp' else 'kept'} TLS connections: "
          f"median {took[len(took) // 2]:.1f} ms, 99 % {took[len(took) * 99 // 100]:.1f} ms, max {took[-1]:.1f} ms", flush=True)


def spread(values):
    values = sorted(values)
    return f"{values[0]:.0f}/{statistics.median(values):.0f}/{values[-1]:.0f}"


def print_row(name, mode, fault, seen):
    print(f"{mode:4} {fault:9} {name:10} {spread([one.added for one in seen]):>14} {spread([one.failed for one in seen]):>12} "
          f"{sum(one.duplicates for one in seen):>10} {sum(one.lost for one in seen):>5} {sum(one.stale for one in seen):>6} "
          f"{spread([one.slowest for one in seen]):>15} {spread([one.election for one in seen]):>12}", flush=True)


def compare(contestants, options):
    for mode in options.modes:
        print_floor(contestants[0], mode)
    print(f"\n{options.rounds} rounds each, taken in turns, {RATE} requests/s, load of the machine "
          f"{os.getloadavg()[0]:.1f}; min/median/max, sums of duplicates, lost writes and stale reads.\n\n"
          f"mode fault     contestant  added delay ms       failed duplicates  lost  stale slowest success     election",
          flush=True)
    results = collections.defaultdict(list)
    for mode in options.modes:
        for fault in options.faults:
            for i in range(options.rounds):
                for contestant in contestants if i % 2 == 0 else reversed(contestants):
                    seen = run_round(contestant, mode, FAULTS[fault], i)
                    results[contestant.name, mode, fault].append(seen)
                    if options.verbose:
                        print_row(contestant.name, mode, fault, [seen])
            for contestant in contestants:
                print_row(contestant.name, mode, fault, results[contestant.name, mode, fault])
    return results


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = lambda text: text.split(",")  # noqa: E731
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--faults", type=names, default=["kill", "freeze", "step_down", "seal"])
    parser.add_argument("--modes", type=names, default=["tcp", "http"])
    parser.add_argument("--only", choices=[HaproxyContestant.name, BellwetherContestant.name])
    parser.add_argument("--verbose", action="store_true", help="each round")
    parser.add_argument("--smoke", action="store_true", help="one round of two faults: does it still run, is nothing lost?")
    parser.add_argument("--json", type=pathlib.Path, help="each round with its errors and Bellwether's log")
    parser.add_argument("--keep", type=pathlib.Path, help="keep configurations and logs in this new folder")
    options = parser.parse_args()
    if options.smoke:
        options.rounds, options.faults = 1, ["kill", "step_down"]
    return options


def main():
    options = parse_arguments()
    if not os.path.exists(binary()):
        sys.exit(f"bench: {binary()} is not built; `./dev bench failover` builds it")
    if not os.path.exists(HAPROXY):
        print("bench: haproxy is not installed: apt-get install haproxy")
        sys.exit(77)  # ctest: skipped
    with tempfile.TemporaryDirectory(prefix="bw-failover-") as name:
        folder = options.keep or pathlib.Path(name)
        folder.mkdir(parents=True, exist_ok=options.keep is None)
        contestants = [kind(folder) for kind in (HaproxyContestant, BellwetherContestant) if options.only in (None, kind.name)]
        started = []
        try:
            for contestant in contestants:
                started.append(contestant)
                contestant.start()
            results = compare(contestants, options)
        finally:
            for contestant in started:
                contestant.end()
    broken = print_promises(results)
    if options.json:
        options.json.write_text(json.dumps({" ".join(key): [dataclasses.asdict(one) for one in seen]
                                            for key, seen in results.items()}, indent=1), encoding="utf-8")
    # A short round on a busy machine says nothing about delays.
    everything = [one for (name, *_), seen in results.items() if name == BellwetherContestant.name for one in seen]
    sys.exit(1 if any(one.duplicates or one.lost for one in everything) or (broken and not options.smoke) else 0)


if __name__ == "__main__":
    main()
