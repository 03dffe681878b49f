"""Clients that take all they can get, each of them a process of its own so that what they do costs the test no time.

`python3 floods.py KIND HOST PORT BLOCKS` floods until its standard input ends. Nothing here reads more than it must.
"""

import os
import select
import socket
import subprocess
import sys
import time

SILENT = 400
BODIES = 400
BLOCK = 1 << 16  # of a body


def pipelined(host, port, target):
    """One client that pipelines small requests without end, and reads the answers away."""
    sock = socket.create_connection((host, port))
    block = f"GET {target} HTTP/1.1\r\nHost: v\r\n\r\n".encode() * 500
    sock.setblocking(False)
    at = 0
    while still_wanted(0):
        readable, writable, _ = select.select([sock], [sock], [], 0.2)
        try:
            if readable and not sock.recv(1 << 18):
                return
            if writable:
                at = (at + sock.send(block[at:])) % len(block)
        except BlockingIOError:
            pass


def heads(host, port):
    """Requests that are as costly to pass on as their size allows: 3,400 Connection options, 95 headers."""
    options = ",".join(f"x-{10000 + i}" for i in range(3400))
    rest = "".join(f"x-{20000 + i}: 1\r\n" for i in range(95))
    head = f"GET /v1/sys/health HTTP/1.1\r\nHost: v\r\nConnection: {options}\r\n{rest}\r\n".encode()
    socks = [socket.create_connection((host, port)) for _ in range(4)]
    for sock in socks:
        sock.sendall(head)
    while still_wanted(0):
        for sock in select.select(socks, [], [], 0.2)[0]:
            if not sock.recv(1 << 16):
                return
            sock.sendall(head)


def silent(host, port):
    """As many connections as one may hold, none of which says a word, and others for those that are ended."""
    held = []
    while still_wanted(0.005):
        while len(held) < SILENT:
            held.append(socket.create_connection((host, port)))
        ended = set(select.select(held, [], [], 0)[0])
        for sock in ended:
            sock.close()
        held = [sock for sock in held if sock not in ended]


def bodies(host, port, blocks):
    """Bodies that all but end: `blocks` of them are sent, and one more was announced."""
    head = b"PUT /v1/secret/a HTTP/1.1\r\nHost: v\r\nContent-Length: %d\r\n\r\n" % ((blocks + 1) * BLOCK)
    held = {}

    def open_one():
        sock = socket.create_connection((host, port))
        sock.setblocking(False)
        held[sock] = head + b"x" * (blocks * BLOCK)

    while still_wanted(0.001):
        while len(held) < BODIES:
            open_one()
        readable, writable, _ = select.select(list(held), [sock for sock, left in held.items() if left], [], 0.05)
        for sock in writable:
            try:
                held[sock] = held[sock][sock.send(held[sock]):]
            except (BlockingIOError, ConnectionError):
                pass
        for sock in readable:
            try:
                over = not sock.recv(1 << 16)
            except (BlockingIOError, ConnectionError):
                over = True
            if over:
                sock.close()
                del held[sock]


def still_wanted(patience):
    return not select.select([sys.stdin], [], [], patience)[0]


KINDS = {
    "scrapes": lambda host, port, _: pipelined(host, port, "/metrics"),
    "redirects": lambda host, port, _: pipelined(host, port, "/v1/secret/a"),
    "heads": lambda host, port, _: heads(host, port),
    "silent": lambda host, port, _: silent(host, port),
    "bodies": bodies,
}


class Flood:
    """One of KINDS against an address, as long as the `with` lasts; `blocks`: how much of each body is sent."""

    def __init__(self, kind, address, count=1, blocks=15):
        words = [sys.executable, os.path.abspath(__file__), kind, *address.rsplit(":", 1), str(blocks)]
        self._children = [subprocess.Popen(words, stdin=subprocess.PIPE) for _ in range(count)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for child in self._children:
            child.stdin.close()
        for child in self._children:
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait(10)


class Waits:
    """Asks again and again, each time on a fresh connection unless `kept`, and keeps how long each answer took."""

    def __init__(self, address, target, kept=False):
        host, port = address.rsplit(":", 1)
        self._address = (host, int(port))
        self._request = f"GET {target} HTTP/1.1\r\nHost: v\r\nX-Vault-Token: t\r\n\r\n".encode()
        self._kept = kept
        self._sock = None
        self.seconds = []

    def ask(self):
        began = time.monotonic()
        if self._sock is None:
            self._sock = socket.create_connection(self._address, timeout=30)
        self._sock.sendall(self._request)
        data = b""
        while b"\r\n\r\n" not in data:
            more = self._sock.recv(1 << 16)
            assert more, "no answer"
            data += more
        self.seconds.append(time.monotonic() - began)
        if not self._kept:
            self._sock.close()
            self._sock = None
        return data.split(b" ", 2)[1].decode()


if __name__ == "__main__":
    try:
        KINDS[sys.argv[1]](sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    except (ConnectionError, KeyboardInterrupt):
        pass
