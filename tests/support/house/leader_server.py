"""One node that always leads, within the test: TLS by certificates that can be replaced, and a download that waits."""

import contextlib
import hashlib
import http.server
import json
import socket
import ssl
import threading

_HEALTH = {"initialized": True, "sealed": False, "standby": False, "performance_standby": False,
           "replication_performance_mode": "disabled", "replication_dr_mode": "disabled",
           "server_time_utc": 1795224000, "version": "2.6.2", "cluster_name": "fake",
           "cluster_id": "11111111-2222-3333-4444-555555555555"}
_PART = bytes(range(256)) * 4096  # 1 MiB
_PARTS = 64


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def setup(self):
        super().setup()
        self.server.owner.note(self.connection)

    def do_GET(self):
        if self.path == "/v1/download":
            return self._download()
        body = json.dumps(_HEALTH if self.path.startswith("/v1/sys/health") else {"path": self.path}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        return None

    def _download(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(_PART) * _PARTS))
        self.end_headers()
        for number in range(_PARTS):
            if number == _PARTS // 2:
                self.server.owner.may_end.wait(60)
            self.wfile.write(_PART)


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def get_request(self):
        accepted, peer = super().get_request()
        tls = self.owner.tls
        # The handshake is done by the thread of the connection, with its first read.
        return (tls.wrap_socket(accepted, server_side=True, do_handshake_on_connect=False) if tls else accepted), peer

    def handle_error(self, *_):
        pass  # who leaves early, or does not trust us, is no news


class LeaderServer:
    """GET /v1/download sends one half, and the other once `may_end` is set. end() it, or use it in a `with`."""

    DOWNLOAD_BYTES = len(_PART) * _PARTS
    DOWNLOAD_SHA256 = hashlib.sha256(_PART * _PARTS).hexdigest()

    def __init__(self, cert=None, key=None):
        self.may_end = threading.Event()
        self._connections = []
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.owner = self
        self.tls = None
        if cert:
            self.use(cert, key)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def url(self):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self._server.server_address[1]}"

    def use(self, cert, key):
        """For handshakes that begin from now on, as a restarted server would: without the tickets of before."""
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(cert, key)
        self.tls = tls

    def note(self, connection):
        self._connections.append(connection)

    def drop_connections(self):
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._connections.clear()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        self.may_end.set()
        self._server.shutdown()
        self._server.server_close()
        self.drop_connections()
        self._thread.join(20)
