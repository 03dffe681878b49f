#!/usr/bin/env python3
"""Random faults under load, and the history judged: nothing lost, nothing executed twice, no read going back in time."""

import argparse
import pathlib
import random
import sys
import tempfile
import time

_HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE), str(_HERE.parent / "support"), str(_HERE.parent / "real")]

from faults import FAULTS, parse  # noqa: E402
from history import History  # noqa: E402
from house.bellwether import Bellwether  # noqa: E402
from house.certificates import Certificates  # noqa: E402
from house.sim_cluster import SimCluster  # noqa: E402
from house.web import Tls  # noqa: E402
from load import Load  # noqa: E402
from real_cluster import RealCluster  # noqa: E402
from rounds import Rounds  # noqa: E402
from server import HOW_TO_GET_ONE, find_server  # noqa: E402

CONFIG = """{{
  "listen": [{{ "address": "127.0.0.1:0", "mode": "http" }}, {{ "address": "127.0.0.1:0", "mode": "tcp" }}],
  "admin": "127.0.0.1:0",
  "nodes": [{nodes}],
  "ca_file": "{ca}", "server_name": "{name}",
  "tls_cert": "{cert}", "tls_key": "{key}"
}}
"""


class Stand:
    """A cluster, Bellwether before it in both modes, and clients of both."""

    def __init__(self, kind, folder, http_clients, tcp_clients):
        self.folder = pathlib.Path(folder)
        server = find_server()
        if kind == "real" and server is None:
            raise SystemExit("no real OpenBao or Vault found. " + HOW_TO_GET_ONE)
        self.cluster = RealCluster(server, self.folder / "real") if kind == "real" else SimCluster(self.folder / "sim")
        self._clients = http_clients, tcp_clients
        self.history = History()
        self.load = Load(self.history)
        self.proxy = None

    def __enter__(self):
        self.cluster.start()
        self.proxy = self._start_proxy()
        http, tcp = self.proxy.addresses
        for number in range(self._clients[0]):
            self.load.add(name=f"http-{number}", url=f"https://{http}", tls=self._front, token=self.cluster.token)
        for number in range(self._clients[1]):
            self.load.add(name=f"tcp-{number}", url=f"https://{tcp}", tls=self.cluster.tls, token=self.cluster.token,
                          keeps_alive=False)
        return self

    def __exit__(self, *_):
        self.proxy.end()
        self.cluster.end()

    def _start_proxy(self):
        certificates = Certificates(self.folder / "front", common_name="bellwether.bellwether.test")
        cert, key = certificates.issue("bellwether")
        self._front = Tls(certificates.ca_file, certificates.common_name)
        nodes = ", ".join(f'"{url}"' for url in self.cluster.urls)
        file = self.folder / "bellwether.json"
        file.write_text(CONFIG.format(nodes=nodes, ca=self.cluster.tls.ca_file, name=self.cluster.tls.server_name,
                                      cert=cert, key=key), encoding="utf-8")
        return Bellwether(self.folder, ["-f", file]).wait_ready()


def choose(arguments):
    """The faults of the run, in their order: as said, or endlessly by chance."""
    chance = random.Random(arguments.seed)
    if arguments.faults:
        chosen = parse(arguments.faults)
        chance.shuffle(chosen)
        yield from chosen
        return
    end = time.monotonic() + 60 * arguments.minutes
    while time.monotonic() < end:
        yield chance.choice(list(FAULTS.values()))


def parse_arguments(words):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cluster", choices=("auto", "sim", "real"), default="auto",
                        help="auto: a real server where one is found, else the simulated cluster")
    parser.add_argument("--minutes", type=float, default=5, help="faults by chance for that long (5)")
    parser.add_argument("--faults", help=f"these instead, such as step_down:20,seal:5; of: {', '.join(FAULTS)}")
    parser.add_argument("--seed", type=int, default=None, help="repeats an order of faults; default: a new one, printed")
    parser.add_argument("--http-clients", type=int, default=4)
    parser.add_argument("--tcp-clients", type=int, default=0)
    parser.add_argument("--keep", metavar="FOLDER", help="keep logs and data there")
    arguments = parser.parse_args(words)
    if arguments.cluster == "auto":
        arguments.cluster = "real" if find_server() else "sim"
    if arguments.seed is None:
        arguments.seed = random.SystemRandom().randrange(1 << 32)
    return arguments


def main(words):
    arguments = parse_arguments(words)
    print(f"{arguments.cluster} cluster, seed {arguments.seed}, "
          f"{arguments.http_clients} clients in http mode, {arguments.tcp_clients} in tcp mode", flush=True)
    with tempfile.TemporaryDirectory(prefix="rounds-") as folder:
        return run(arguments, arguments.keep or folder)


def run(arguments, folder):
    with Stand(arguments.cluster, folder, arguments.http_clients, arguments.tcp_clients) as stand:
        stand.load.start()
        rounds = Rounds(stand.cluster, stand.load, lambda client: client.split("-")[0],
                        say=lambda text: print(text, flush=True))
        rounds.run(choose(arguments))
        stand.cluster.heal()
        stand.load.stop()
    return report(rounds)


def report(rounds):
    history = rounds.history
    exchanges = history.exchanges()
    print(f"\n{len(exchanges)} requests, {len(history.errors())} errors, "
          f"slowest {max(one.ended - one.begun for one in exchanges):.2f} s")
    print("\n".join(rounds.summary()))
    print(f"{len(history.excused())} old reads through tcp mode, where nobody can see them")
    for violation in history.violations():
        print(f"VIOLATION {violation}")
    for complaint in rounds.complaints():
        print(f"COMPLAINT {complaint}")
    bad = len(history.violations()) + len(rounds.complaints())
    print("every promise was kept" if bad == 0 else f"{bad} promises were broken")
    return 0 if bad == 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
