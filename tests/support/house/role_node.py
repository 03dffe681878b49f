"""A node by raw bytes whose role a test chooses, and that remembers what clients sent it."""

import json

from .fake_leader import HEALTH
from .http_node import Gone, HttpNode, path_of

_STATUS = {"active": 200, "standby": 429, "sealed": 503, "uninitialized": 501}
OURS = json.loads(HEALTH)["cluster_id"]
THEIRS = "99999999-8888-7777-6666-555555555555"


def with_status(status, body, reason="Said"):
    return (f"HTTP/1.1 {status} {reason}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode() + body


class RoleNode(HttpNode):
    """`answers` as those of HttpNode; without one, requests are echoed."""

    def __init__(self, role="standby", cluster_id=OURS, answers=None, tls=None):
        self.role, self.cluster_id = role, cluster_id
        self._is_silent = False
        super().__init__(answers, tls)

    def health(self):
        """A sealed or uninitialized node states no cluster_id, as Vault and OpenBao do."""
        said = json.loads(HEALTH)
        said |= {"initialized": self.role != "uninitialized", "sealed": self.role in ("sealed", "uninitialized"),
                 "standby": self.role != "active"}
        if said["sealed"]:
            del said["cluster_id"], said["cluster_name"]
        else:
            said["cluster_id"] = self.cluster_id
        return with_status(_STATUS[self.role], json.dumps(said).encode())

    def silence(self):
        """From now on it takes what it is asked, and ends the connection instead of an answer."""
        self._is_silent = True

    def _serve_one(self, conn, head):
        if self._is_silent:
            raise Gone
        path = path_of(head)
        if path == "/v1/sys/health":
            return conn.send(self.health())
        if path == "/v1/sys/leader":
            body = {"ha_enabled": True, "is_self": self.role == "active", "leader_address": ""}
            return conn.send(with_status(200, json.dumps(body).encode()))
        return super()._serve_one(conn, head)

    def paths(self):
        """Of what clients sent, in order of arrival."""
        return [path_of(head) for head in list(self.seen)]
