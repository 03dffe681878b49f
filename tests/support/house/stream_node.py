#!/usr/bin/python3
"""A node that takes and gives bodies of any size, in a process of its own; and the other end of them.

    cd tests/support; python3 -m house.stream_node [CERT KEY]      prints its port

PUT /v1/take: answers with the size and the checksum of what came. GET /v1/give?size=N[&chunked=1]: a body of N bytes.
With slow=1 it begins in tiny bites and rests now and then.
"""

import json
import ssl
import sys
import threading
import time
import urllib.parse
import zlib

from .fake_leader import answer
from .http_node import BLOCK, HttpNode, chunk


class Pace:
    """How a side goes about a body. A slow one begins with tiny bites, then rests now and then."""

    TINY, REST_EVERY, REST = 2000, 64 << 20, 0.03

    def __init__(self, is_slow=False):
        self._is_slow = is_slow
        self._bites = 0
        self._moved = 0
        self._next_rest = self.REST_EVERY

    def bite(self):
        self._bites += 1
        return 1 + self._bites % 7 if self._is_slow and self._bites <= self.TINY else BLOCK

    def moved(self, count):
        self._moved += count
        if self._is_slow and self._moved >= self._next_rest:
            self._next_rest += self.REST_EVERY
            time.sleep(self.REST)


# Its period divides no power of two, so that a lost or doubled stretch shows.
PATTERN = memoryview(bytes(range(251)) * (BLOCK // 251 + 2))


def blocks(size, pace):
    done = 0
    while done < size:
        begin = done % 251
        piece = PATTERN[begin:begin + min(pace.bite(), size - done)]
        done += len(piece)
        yield piece
        pace.moved(len(piece))


def crc_of_stream(size):
    total = 0
    for piece in blocks(size, Pace()):
        total = zlib.crc32(piece, total)
    return total


def send_stream(conn, start, size, is_chunked, pace):
    """A message with a body of `size` bytes."""
    conn.send(start + (b"Transfer-Encoding: chunked\r\n\r\n" if is_chunked else b"Content-Length: %d\r\n\r\n" % size))
    for piece in blocks(size, pace):
        conn.send(chunk(piece) if is_chunked else piece)
    if is_chunked:
        conn.send(b"0\r\n\r\n")


def swallow(conn, head, pace):
    """The size and the checksum of the body that follows."""
    size = total = 0
    for piece in conn.pieces(head, pace.bite):
        total = zlib.crc32(piece, total)
        size += len(piece)
        pace.moved(len(piece))
    return {"size": size, "crc": total}


def query_of(head):
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(head.split(b" ")[1].decode()).query))


def take_stream(conn, head):
    conn.send(answer(json.dumps(swallow(conn, head, Pace("slow" in query_of(head)))).encode()))


def give_stream(conn, head):
    asked = query_of(head)
    send_stream(conn, b"HTTP/1.1 200 OK\r\n", int(asked["size"]), "chunked" in asked, Pace("slow" in asked))


STREAMS = {"/v1/take": take_stream, "/v1/give": give_stream}


def main(words):
    tls = None
    if words:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(*words)
    node = HttpNode(STREAMS, tls)
    print("port", node.port, flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main(sys.argv[1:])
