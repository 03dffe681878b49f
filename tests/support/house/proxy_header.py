"""The PROXY protocol before a node that does not know it, and in a client's mouth."""

import contextlib
import socket
import socketserver
import threading
import urllib.parse

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def _take(sock, count):
    got = b""
    while len(got) < count:
        part = sock.recv(count - len(got))
        if not part:
            raise ConnectionError("ended within the PROXY header")
        got += part
    return got


def _pump(source, target):
    with contextlib.suppress(OSError):
        while part := source.recv(65536):
            target.sendall(part)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def behind_proxy_header(url):
    """Yields host:port before the node at `url`: a connection without a PROXY header of version 2 is ended."""
    node = urllib.parse.urlsplit(url)

    class Relay(socketserver.BaseRequestHandler):
        def handle(self):
            with contextlib.suppress(OSError):
                head = _take(self.request, 16)
                if head[:12] != SIGNATURE:
                    return
                _take(self.request, int.from_bytes(head[14:], "big"))
                with socket.create_connection((node.hostname, node.port), timeout=20) as up:
                    back = threading.Thread(target=_pump, args=(up, self.request), daemon=True)
                    back.start()
                    _pump(self.request, up)
                    back.join(20)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Relay) as server:
        server.daemon_threads = True
        server.block_on_close = False
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()


def announce(sock, address="192.0.2.7"):
    """Says in a PROXY header of version 1 that the client is `address`."""
    sock.sendall(f"PROXY TCP4 {address} 192.0.2.8 40000 8200\r\n".encode("ascii"))
