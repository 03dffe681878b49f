#!/usr/bin/env python3
"""Random faults under load, and the history judged: nothing lost, nothing executed twice, no read going back in time."""

import argparse
import json
import os
import pathlib
import random
import sys
import tempfile
import time

_HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE), str(_HERE.parent / "support"), str(_HERE.parent / "real")]

from causes import Timeline, monotonic_of  # noqa: E402
from faults import FAULTS, choose, possible, refuse_impossible  # noqa: E402
from history import History  # noqa: E402
from house.bellwether import Bellwether, LogLine  # noqa: E402
from house.certificates import Certificates  # noqa: E402
from house import firewall  # noqa: E402
from house.sim_cluster import SimCluster  # noqa: E402
from house.waiting import wait_until  # noqa: E402
from house.web import Tls  # noqa: E402
from load import Load, Pace  # noqa: E402
from postgresql import programs as postgresql_programs, HOW_TO_GET_ONE as HOW_TO_GET_POSTGRESQL  # noqa: E402
from postgresql_cluster import PostgresqlCluster  # noqa: E402
from real_cluster import RealCluster  # noqa: E402
from rounds import Rounds, is_unconfirmed_read  # noqa: E402
from server import HOW_TO_GET_ONE, find_server  # noqa: E402

# What Bellwether logs when it first knows that something is wrong with the leader.
SIGNS = ("leader_suspect", "leader_lost", "leader_changed")


def make_cluster(kind, folder):
    if kind == "sim":
        return SimCluster(folder / "sim")
    server = find_server()
    if server is None:
        raise SystemExit("no real OpenBao or Vault found. " + HOW_TO_GET_ONE)
    if kind == "real":
        return RealCluster(server, folder / "real")
    if postgresql_programs() is None:
        raise SystemExit("no PostgreSQL found. " + HOW_TO_GET_POSTGRESQL)
    if not server.is_openbao:
        raise SystemExit("the postgresql cluster needs OpenBao: Vault does not create its tables itself")
    return PostgresqlCluster(server, folder / "pg")


class Stand:
    """A cluster, Bellwether before it in both modes, and clients of both."""

    def __init__(self, arguments, folder):
        self.folder = pathlib.Path(folder)
        self._arguments = arguments
        self.cluster = make_cluster(arguments.cluster, self.folder)
        if firewall.is_possible():
            self.cluster.firewall = firewall.Firewall()
        self.history = History()
        self.load = Load(self.history)
        self.proxy = None
        self._front = None

    def __enter__(self):
        try:
            if self.cluster.firewall is not None:
                self.cluster.firewall.start()
            self.cluster.start()
            self.proxy = self._start_proxy()
        except BaseException:
            print(self.cluster.logs())
            self.__exit__()
            raise
        for number in range(self._arguments.http_clients):
            self._add_client(f"http-{number}")
        for number in range(self._arguments.tcp_clients):
            self._add_client(f"tcp-{number}")
        self._add_open_clients()
        return self

    def __exit__(self, *_):
        if self.proxy is not None:
            self.proxy.end()
        self.cluster.end()
        if self.cluster.firewall is not None:
            self.cluster.firewall.end()

    def first_sign(self, log):
        """When Bellwether first knew that something is wrong, by a part of its log; as time.monotonic() counts. A suspicion
        that was unfounded is no sign of what came after it."""
        sign = None
        for line in filter(None, map(LogLine.parse, log.splitlines())):
            if line.event == "leader_confirmed":
                sign = None
            elif line.event in SIGNS and sign is None:
                sign = line
        return monotonic_of(sign.time) if sign else None

    def _add_client(self, name, pace=None):
        http, tcp = self.proxy.addresses
        if name.startswith("http"):
            self.load.add(name=name, url=f"https://{http}", tls=self._front, token=self.cluster.token, pace=pace)
        else:
            self.load.add(name=name, url=f"https://{tcp}", tls=self.cluster.tls, token=self.cluster.token,
                          keeps_alive=False, pace=pace)

    def _add_open_clients(self):
        """A rate shared by the modes that have clients at all; as many threads that some always are free to ask."""
        if not self._arguments.rate:
            return
        modes = [mode for mode, count in (("http", self._arguments.http_clients), ("tcp", self._arguments.tcp_clients))
                 if count] or ["http"]
        for mode in modes:
            pace = Pace(self._arguments.rate / len(modes))
            for number in range(self._arguments.connections // len(modes)):
                self._add_client(f"{mode}-open-{number}", pace)

    def _start_proxy(self):
        certificates = Certificates(self.folder / "front", common_name="bellwether.bellwether.test")
        cert, key = certificates.issue("bellwether")
        self._front = Tls(certificates.ca_file, certificates.common_name)
        config = {
            "listen": [{"address": "127.0.0.1:0", "mode": "http", "fresh": self._arguments.fresh},
                       {"address": "127.0.0.1:0", "mode": "tcp"}],
            "admin": "127.0.0.1:0", "nodes": self.cluster.urls,
            "ca_file": self.cluster.tls.ca_file, "server_name": self.cluster.tls.server_name,
            "tls_cert": str(cert), "tls_key": str(key),
        }
        if self.cluster.firewall is not None:
            config["source"] = self.cluster.firewall.client
        file = self.folder / "bellwether.json"
        file.write_text(json.dumps(config, indent=2), encoding="utf-8")
        return Bellwether(self.folder, ["-f", file]).wait_ready()


def parse_arguments(words):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cluster", choices=("auto", "sim", "real", "postgresql"), default="auto",
                        help="auto: a real server with raft where one is found, else the simulated cluster; "
                             "postgresql: a real OpenBao on a PostgreSQL of the run's own")
    parser.add_argument("--minutes", type=float, default=5, help="faults by chance for that long (5)")
    parser.add_argument("--faults", help=f"these instead, such as step_down:20,seal:5; of: {', '.join(FAULTS)}")
    parser.add_argument("--seed", type=int, default=None, help="repeats the faults, their order, lengths and pauses; default: a new one, printed")
    parser.add_argument("--http-clients", type=int, default=4)
    parser.add_argument("--tcp-clients", type=int, default=0)
    parser.add_argument("--rate", type=float, default=40,
                        help="requests per second beside those, whatever becomes of the ones before (40; 0: none)")
    parser.add_argument("--connections", type=int, default=16, help="that the rate is spread over (16)")
    parser.add_argument("--fresh", action="store_true", help="verified answers to reads in http mode")
    parser.add_argument("--keep", metavar="FOLDER", help="keep logs and data there")
    arguments = parser.parse_args(words)
    if arguments.cluster == "auto":
        arguments.cluster = "real" if find_server() else "sim"
    if arguments.seed is None:
        arguments.seed = random.SystemRandom().randrange(1 << 32)
    return arguments


def main(words):
    arguments = parse_arguments(words)
    with tempfile.TemporaryDirectory(prefix="rounds-") as folder:
        os.chmod(folder, 0o711)  # PostgreSQL runs as another user and must pass through
        return run(arguments, arguments.keep or folder)


def run(arguments, folder):
    print(f"{arguments.cluster} cluster, seed {arguments.seed}, {arguments.http_clients} clients in http mode, "
          f"{arguments.tcp_clients} in tcp mode, {arguments.rate:g} requests/s beside them, "
          f"fresh {'on' if arguments.fresh else 'off'}", flush=True)
    end = time.monotonic() + 60 * arguments.minutes
    made = Stand(arguments, folder)
    say_what_is_left_out(made.cluster, arguments.faults)
    with made as stand:
        stand.load.start()
        timeline = Timeline(lambda: stand.proxy.get("/failovers").json()["failovers"])
        rounds = Rounds(stand.cluster, stand.load, stand.proxy.log, stand.first_sign, arguments.fresh,
                        say=lambda text: print(text, flush=True), timeline=timeline)
        try:
            rounds.run(choose(stand.cluster, arguments.seed, arguments.faults, lambda: time.monotonic() < end))
            stand.cluster.heal()
            wait_until(lambda: not any(one["open"] for one in stand.proxy.get("/failovers").json()["failovers"]), 30,
                       "the last failover to be over")
            timeline.look()
            stand.load.stop()
        except BaseException:
            report(rounds, arguments.fresh)
            print("the run was broken off: what it promised so far is above, and why it ended is below", flush=True)
            raise
    return report(rounds, arguments.fresh)


def say_what_is_left_out(cluster, faults):
    if faults:
        refuse_impossible(cluster, faults)
        return
    for fault in FAULTS.values():
        if fault not in possible(cluster):
            print(f"left out: {fault.name}, which needs {fault.needs}")


def report(rounds, is_fresh):
    history = rounds.history
    exchanges = history.exchanges()
    print(f"\n{len(exchanges)} requests, {len(history.errors())} errors, "
          f"slowest {max((one.ended - one.begun for one in exchanges), default=0):.2f} s")
    print("\n".join(rounds.summary()))
    report_reads(history, is_fresh)
    broken = [one for one in rounds.rounds if one.complaints]
    for one in broken:
        print(f"--- round {one.number}, {one.fault.name}: what Bellwether logged\n{one.log.rstrip()}")
    for violation in history.violations():
        print(f"VIOLATION {violation}")
    for complaint in rounds.complaints():
        print(f"COMPLAINT {complaint}")
    bad = len(history.violations()) + len(rounds.complaints())
    print("every promise was kept" if bad == 0 else f"{bad} promises were broken")
    return 0 if bad == 0 else 1


def report_reads(history, is_fresh):
    http = [one for one in history.exchanges() if one.kind == "read" and one.client.startswith("http")]
    old = [one.exchange for one in history.excused()]
    by_http = [exchange for exchange in old if exchange.client.startswith("http")]
    print(f"fresh {'on' if is_fresh else 'off'}: {len(http)} reads through http mode, "
          f"{sum(map(is_unconfirmed_read, http))} not confirmed, "
          f"{len(by_http)} old ones excused by a leader that did not know of its end")
    print(f"{len(old) - len(by_http)} old reads and checks through tcp mode, where nobody can see them")
    for exchange in by_http:
        print(f"EXCUSED {exchange}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
