"""A Vault node reduced to the bytes of HTTP: it says that it is active, and does with each request what a test wants."""

import re
import socket
import ssl
import struct
import threading

from .fake_leader import HEALTH, LEADER, answer

BLOCK = 1 << 18


class Gone(Exception):
    """The other side has ended the connection, or we have."""


class Conn:
    """One connection, by hand: what is sent is sent as it is, what is read is told apart by its framing alone."""

    def __init__(self, sock):
        self.sock = sock
        self._data = bytearray()

    def fill(self, size=BLOCK):
        data = self.sock.recv(size)
        if not data:
            raise Gone
        self._data += data

    def take(self, count):
        while len(self._data) < count:
            self.fill()
        taken = bytes(self._data[:count])
        del self._data[:count]
        return taken

    def take_until(self, end):
        while (at := self._data.find(end)) < 0:
            self.fill()
        return self.take(at + len(end))

    def some(self, most):
        """Up to `most` bytes, at least one."""
        if self._data:
            return self.take(min(most, len(self._data)))
        data = self.sock.recv(most)
        if not data:
            raise Gone
        return data

    def head(self):
        return self.take_until(b"\r\n\r\n")

    def pieces(self, head, bite=lambda: BLOCK):
        """The body after `head`, at most bite() bytes at a time. Trailers are dropped."""
        length = re.search(rb"\r\ncontent-length: *(\d+)\r\n", head, re.I)
        if re.search(rb"\r\ntransfer-encoding: *chunked\r\n", head, re.I):
            while size := int(self.take_until(b"\r\n").split(b";")[0], 16):
                while size:
                    piece = self.some(min(size, bite()))
                    size -= len(piece)
                    yield piece
                assert self.take(2) == b"\r\n"
            while self.take_until(b"\r\n") != b"\r\n":
                pass
        elif length:
            left = int(length.group(1))
            while left:
                piece = self.some(min(left, bite()))
                left -= len(piece)
                yield piece

    def body(self, head):
        return b"".join(self.pieces(head))

    def answer(self):
        """(head, body) of one answer with a stated length."""
        head = self.head()
        return head, self.body(head)

    def rest(self):
        """All that comes until the end, and whether the end was an orderly one."""
        try:
            while True:
                self.fill()
        except Gone:
            return bytes(self._data), True
        except (ConnectionError, ssl.SSLError):
            return bytes(self._data), False

    def send(self, data):
        self.sock.sendall(data)

    def finish(self):
        """Says in order that nothing more comes: with TLS by close_notify, which close() leaves out."""
        if isinstance(self.sock, ssl.SSLSocket):
            self.sock = self.sock.unwrap()
        self.sock.shutdown(socket.SHUT_WR)

    def close(self):
        self.sock.close()

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def chunk(data):
    return b"%x\r\n%b\r\n" % (len(data), data)


def path_of(head):
    return head.split(b" ", 2)[1].decode().split("?")[0]


class HttpNode:
    """Its health and leader paths are served; of the others, `seen` keeps the heads."""

    def __init__(self, answers=None, tls=None):
        self.answers = answers or {}
        self.seen = []
        self.accepted = 0
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self._listener.getsockname()[1]
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        try:
            conn = Conn(self._tls.wrap_socket(sock, server_side=True) if self._tls else sock)
            while True:
                self._serve_one(conn, conn.head())
        except (Gone, OSError, ValueError):
            sock.close()

    def _serve_one(self, conn, head):
        path = path_of(head)
        if path == "/v1/sys/health":
            return conn.send(answer(HEALTH))
        if path == "/v1/sys/leader":
            return conn.send(answer(LEADER))
        self.seen.append(head)
        return self.answers.get(path, self.echo)(conn, head)

    @staticmethod
    def echo(conn, head):
        """The request's line and body, as an answer."""
        conn.send(answer(head.split(b"\r\n")[0] + b"\n" + conn.body(head)))

    def close(self):
        self._listener.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
