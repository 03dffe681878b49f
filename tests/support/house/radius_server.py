"""A RADIUS server (RFC 2865) that accepts every login and counts the Access-Requests of each user."""

import collections
import hashlib
import socket
import struct
import threading

ACCESS_REQUEST, ACCESS_ACCEPT = 1, 2
USER_NAME = 1
HEAD = struct.Struct("!BBH16s")


def user_of(packet):
    """The User-Name attribute, or None."""
    at = HEAD.size
    while at + 2 <= len(packet):
        kind, length = packet[at], packet[at + 1]
        if length < 2:
            return None
        if kind == USER_NAME:
            return packet[at + 2:at + length].decode()
        at += length
    return None


class RadiusServer:
    """`requests` maps a user to how many different Access-Requests came. A copy that the client's RADIUS library sends
    again (same authenticator, RFC 2865 section 2.5) is not a new one."""

    def __init__(self, secret="shared-secret"):
        self.secret = secret
        self.requests = collections.Counter()
        self._seen = set()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                packet, peer = self._socket.recvfrom(4096)
            except OSError:
                return
            if len(packet) < HEAD.size or packet[0] != ACCESS_REQUEST:
                continue
            code, identifier, _, authenticator = HEAD.unpack_from(packet)
            user = user_of(packet)
            if authenticator not in self._seen:
                self._seen.add(authenticator)
                self.requests[user] += 1
            self._socket.sendto(self._accept(identifier, authenticator), peer)

    def _accept(self, identifier, request_authenticator):
        head = struct.pack("!BBH", ACCESS_ACCEPT, identifier, HEAD.size)
        return head + hashlib.md5(head + request_authenticator + self.secret.encode()).digest()

    def close(self):
        self._socket.close()
