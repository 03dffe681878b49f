"""An LDAP server (RFC 4511) reduced to what a login needs: each bind succeeds and is counted, each search is empty."""

import collections
import socketserver
import threading

BIND_REQUEST, UNBIND_REQUEST, SEARCH_REQUEST = 0x60, 0x42, 0x63
BIND_RESPONSE, SEARCH_DONE = 0x61, 0x65
_SUCCESS = b"\x0a\x01\x00\x04\x00\x04\x00"  # resultCode 0, no matchedDN, no diagnosticMessage


def element(stream):
    """(tag, content) of the next BER element, or None at the end."""
    head = stream.read(2)
    if len(head) < 2:
        return None
    length = head[1]
    if length & 0x80:
        length = int.from_bytes(stream.read(length & 0x7F), "big")
    return head[0], stream.read(length)


def parts(content):
    """The BER elements that `content` is made of. Lengths below 64 KiB."""
    at, found = 0, []
    while at < len(content):
        tag, length, at = content[at], content[at + 1], at + 2
        if length & 0x80:
            count = length & 0x7F
            length, at = int.from_bytes(content[at:at + count], "big"), at + count
        found.append((tag, content[at:at + length]))
        at += length
    return found


class _Handler(socketserver.StreamRequestHandler):
    def handle(self):
        while (message := element(self.rfile)) is not None:
            (_, identifier), (operation, content) = parts(message[1])[:2]
            if operation == UNBIND_REQUEST:
                return
            if operation == BIND_REQUEST:
                self.server.owner.binds[parts(content)[1][1].decode()] += 1
            answer = BIND_RESPONSE if operation == BIND_REQUEST else SEARCH_DONE
            body = bytes([2, len(identifier)]) + identifier + bytes([answer, len(_SUCCESS)]) + _SUCCESS
            self.wfile.write(bytes([0x30, len(body)]) + body)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128


class LdapServer:
    """`binds` maps a distinguished name to how often it was bound."""

    def __init__(self):
        self.binds = collections.Counter()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.owner = self
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()
