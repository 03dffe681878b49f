#!/usr/bin/env python3
"""Question: what do 200 clients that move one byte per second cost a normal client of http mode?

Method: one node and two standbys that only answer (bench/load.cc), Bellwether in http mode before them. The normal
client sends 500 requests per second over 8 connections, when they are due. Runs with and without the slow clients take
turns (A B, B A, ...), so that a machine that drifts hurts both. A third of the slow ones send a request's head byte by
byte, a third its body, a third read a 10 MB answer so; one that is cut off (a head may take 10 s) comes again at once.
The ratio is the median over the pairs of p99 with / p99 without. Goal: at most 1.2, or every p99 with them inside
the spread of those without.

Usage: bench/slow_clients.py [--pairs N] [--seconds S] [--smoke]
       BELLWETHER_BINARY names the program (default: build/release/bin/bellwether).
"""
import argparse
import heapq
import pathlib
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import run

SLOW, RATE, CONNECTIONS, GOAL = 200, 500, 8, 1.2
HEAD = b"GET /v1/secret/data/app HTTP/1.1\r\nHost: vault\r\nX-Vault-Token: " + b"t" * 2000
BODY = b"PUT /sink HTTP/1.1\r\nHost: vault\r\nContent-Length: 1000000\r\n\r\n"
READ = b"GET /bulk/10000000 HTTP/1.1\r\nHost: vault\r\n\r\n"


class Slow:
    """One client: step() moves one byte."""

    def __init__(self, kind, port):
        self.kind, self.port, self.sock, self.sent = kind, port, None, 0

    def open(self):
        if self.sock:
            self.sock.close()
        self.sock, self.sent = socket.socket(), 0
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.sock.connect(("127.0.0.1", self.port))
        self.sock.setblocking(False)
        if self.kind != "head":
            self.sock.send(BODY if self.kind == "body" else READ)

    def step(self):
        try:
            if self.kind == "read":
                if not self.sock.recv(1):
                    self.open()
                return
            self.sock.send(b"x" if self.kind == "body" else HEAD[self.sent:self.sent + 1])
            self.sent += 1
            if self.sock.recv(4096) is not None:  # an answer to what is not whole, or the end: cut off
                self.open()
        except BlockingIOError:
            pass
        except OSError:
            self.open()


def be_slow(port):
    """Until it is ended."""
    clients = [Slow(("head", "body", "read")[number % 3], port) for number in range(SLOW)]
    for client in clients:
        client.open()
    print("ready", flush=True)
    begin = time.monotonic()
    due = [(begin + number / SLOW, number) for number in range(SLOW)]
    while True:
        at, number = due[0]
        time.sleep(max(0.0, at - time.monotonic()))
        clients[number].step()
        heapq.heapreplace(due, (at + 1, number))


def settle(process):
    """Until the proxy hardly works any more: the big answers have filled what buffers there are."""
    quiet = 0
    deadline = time.monotonic() + 30
    while quiet < 3:
        before = process.cpu()
        time.sleep(0.2)
        quiet = quiet + 1 if process.cpu() - before < 0.01 else 0
        if time.monotonic() > deadline:
            run.fail("the proxy is never idle with slow clients alone")


def measure(bench, contestant, seconds, is_with):
    process, port = contestant
    slow = None
    if is_with:
        slow = subprocess.Popen(run.pinned(bench.load_core, [sys.executable, __file__, "--be-slow", str(port)]),
                                stdout=subprocess.PIPE, text=True)
        if slow.stdout.readline().strip() != "ready":
            run.fail("the slow clients did not come through")
    settle(process)
    try:
        result = bench.client(port, ["rate", str(CONNECTIONS)], seconds, RATE)
        process.check()
        if slow and slow.poll() is not None:
            run.fail("the slow clients ended too early")
    finally:
        if slow:
            slow.kill()
            slow.wait()
    if result["errors"] or not result["requests"]:
        run.fail(f"{result['errors']} errors, {result['requests']} requests")
    return result


def compare(bench, options):
    contestant = bench.start_bellwether()
    bench.client(contestant[1], ["rate", str(CONNECTIONS)], 0.5, RATE)
    with_them, without = [], []
    print(f"{'pair':>4} {'p50 us':>8} {'with':>8} {'p99 us':>8} {'with':>8} {'ratio':>7}")
    for pair in range(options.pairs):
        taken = {}
        for is_with in (False, True) if pair % 2 == 0 else (True, False):
            taken[is_with] = measure(bench, contestant, options.seconds, is_with)
        without.append(taken[False]["p99"])
        with_them.append(taken[True]["p99"])
        print(f"{pair + 1:>4} {taken[False]['p50']:>8} {taken[True]['p50']:>8} {without[-1]:>8} {with_them[-1]:>8} "
              f"{with_them[-1] / without[-1]:>7.2f}", flush=True)
    ratio = statistics.median(a / b for a, b in zip(with_them, without))
    is_inside = min(without) <= statistics.median(with_them) <= max(without)
    verdict = "met" if ratio <= GOAL else "met, inside the spread" if is_inside else "not met"
    print(f"\np99 of a normal client with {SLOW} slow ones / without: median ratio {ratio:.2f} (goal {GOAL}: {verdict}); "
          f"p99 without {min(without)} to {max(without)} us, median with {statistics.median(with_them):.0f} us.")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--smoke", action="store_true", help="one short pair: does it still run?")
    parser.add_argument("--be-slow", type=int, metavar="PORT", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.be_slow:
        be_slow(options.be_slow)
    if options.smoke:
        options.pairs, options.seconds = 1, 0.5
    if not run.BINARY.exists():
        run.fail(f"{run.BINARY} is not built; `./dev build release` builds it")
    with tempfile.TemporaryDirectory(prefix="bw-bench-") as name:
        bench = run.Bench(options, pathlib.Path(name), "http")
        try:
            compare(bench, options)
        finally:
            for process in list(bench.processes):
                bench.stop(process)


if __name__ == "__main__":
    main()
