"""Three nodes by raw bytes that state what a test wants: a healthy cluster until it changes what one of them says."""

import json
import time

from .http_node import Gone, HttpNode, path_of
from .role_node import with_status

CLUSTER_ID = "11111111-2222-3333-4444-555555555555"


class StagedNode(HttpNode):
    """`status` and `health` answer sys/health, `leader` answers sys/leader. `raw`: all that it answers, in their place."""

    def __init__(self, tls=None):
        self.status = 429
        self.raw = None
        self.demands_proxy = False
        self.clock_ahead = 0  # seconds
        self.health = {"initialized": True, "sealed": False, "standby": True, "version": "2.6.2",
                       "cluster_name": "staged", "cluster_id": CLUSTER_ID}
        self.leader = {"ha_enabled": True, "raft_committed_index": 70000, "raft_applied_index": 70000}
        super().__init__(tls=tls)

    @property
    def name(self):
        return self.url.split("//")[1]

    def lead(self):
        self.status = 200
        self.health["standby"] = False
        self.leader |= {"is_self": True, "active_time": "2026-11-30T00:00:00Z"}

    def _serve_one(self, conn, head):
        if self.demands_proxy and not hasattr(conn, "is_greeted"):
            if not head.startswith(b"PROXY "):
                raise Gone
            head = head.split(b"\r\n", 1)[1]
            conn.is_greeted = True
        if not head.startswith(b"GET "):
            raise Gone
        if self.raw is not None:
            return conn.send(self.raw)
        path = path_of(head)
        if path == "/v1/sys/health":
            body = self.health | {"server_time_utc": int(time.time()) + self.clock_ahead}
            return conn.send(with_status(self.status, json.dumps(body).encode()))
        assert path == "/v1/sys/leader", path
        return conn.send(with_status(200, json.dumps(self.leader).encode()))


class StagedCluster:
    """The first node leads, and all name it by its URL."""

    def __init__(self, tls=None):
        self.nodes = [StagedNode(tls) for _ in range(3)]
        self.nodes[0].lead()
        self.name_leader(self.nodes[0].url)

    @property
    def urls(self):
        return [node.url for node in self.nodes]

    def name_leader(self, url):
        for node in self.nodes:
            node.leader["leader_address"] = url

    def close(self):
        for node in self.nodes:
            node.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
