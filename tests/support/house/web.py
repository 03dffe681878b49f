"""Plain HTTP requests over TCP or TLS, on a fresh connection each, with the server's name apart from its address."""

import http.client
import json
import socket
import ssl
import urllib.parse


class Tls:
    """How a client checks a server: its CA, and the one name that all certificates carry."""

    def __init__(self, ca_file, server_name):
        self.ca_file = str(ca_file)
        self.server_name = server_name
        self.context = ssl.create_default_context(cafile=self.ca_file)


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers  # names in lower case
        self.body = body

    def json(self):
        return json.loads(self.body)

    def text(self):
        return self.body.decode("utf-8", "replace")

    def __repr__(self):
        return f"<{self.status} {self.text()[:300]!r}>"


def connection(url, tls=None, timeout=5):
    parts = urllib.parse.urlsplit(url)
    conn = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)
    if parts.scheme == "https":
        raw = socket.create_connection((parts.hostname, parts.port), timeout=timeout)
        # A body goes behind its head at once: without TLS http.client sees to that itself.
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            conn.sock = tls.context.wrap_socket(raw, server_hostname=tls.server_name)
        except BaseException:
            raw.close()
            raise
    return conn


def send(conn, method, target, body=None, headers=None):
    payload = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
    conn.request(method, target, body=payload, headers=headers or {})
    response = conn.getresponse()
    names = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, names, response.read())


def request(url, method="GET", body=None, headers=None, tls=None, timeout=5):
    """Never follows a redirect. Raises OSError when there is no whole answer."""
    parts = urllib.parse.urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    conn = None
    try:
        conn = connection(url, tls, timeout)
        return send(conn, method, target, body, {"Connection": "close", **(headers or {})})
    except http.client.HTTPException as error:
        raise ConnectionError(f"{type(error).__name__} from {url}: {error}") from error
    finally:
        if conn is not None:
            conn.close()
