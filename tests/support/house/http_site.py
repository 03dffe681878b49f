"""A proxy, in http mode unless told otherwise, before one node that is all bytes, plain or with TLS on both sides."""

import socket
import ssl

from .bellwether import LOOPBACK, Bellwether
from .certificates import Certificates
from .fake_leader import answer
from .http_node import Conn, HttpNode


class HttpSite:
    """`whole`: the lines of the requests that the node got to their end, where `answers` does not say otherwise."""

    def __init__(self, folder, answers=None, tls=False, words=(), mode="http"):
        self.whole = []
        self.client_tls = server_tls = None
        words = [*LOOPBACK, "--mode", mode, *words]
        if tls:
            made = Certificates(folder / "tls")
            pair = made.issue("both")
            server_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            server_tls.load_cert_chain(*pair)
            self.client_tls = ssl.create_default_context(cafile=made.ca_file)
            self._name = made.common_name
            words += ["--tls-cert", pair[0], "--tls-key", pair[1], "--ca-file", made.ca_file, "--server-name", self._name]
        self.node = HttpNode(answers, server_tls)
        self.node.echo = self._take
        self.proxy = Bellwether(folder, [*words, self.node.url]).wait_ready()
        host, port = self.proxy.address.rsplit(":", 1)
        self.address = (host, int(port))

    def _take(self, conn, head):
        body = conn.body(head)
        self.whole.append(head.split(b"\r\n")[0].decode())
        conn.send(answer(body))

    def dial(self):
        sock = socket.create_connection(self.address, timeout=20)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.client_tls:
            # A close without close_notify must be told from an orderly one.
            sock = self.client_tls.wrap_socket(sock, server_hostname=self._name, suppress_ragged_eofs=False)
        return Conn(sock)

    def ask(self, data):
        """All that comes back for these bytes until the proxy closes, and whether it closed in order."""
        with self.dial() as conn:
            conn.send(data)
            return conn.rest()

    def rejected(self):
        return {labels["reason"]: value
                for labels, value in self.proxy.metrics().all("bellwether_http_rejected_total")}

    def __enter__(self):
        return self

    def __exit__(self, *end):
        self.node.close()
        self.proxy.__exit__(*end)
