"""Streams that last over many reloads: each piece comes through between two of them, in both directions."""

import json
import queue
import socket

import pytest

from house.bellwether import Bellwether
from house.fake_leader import answer
from house.http_node import Conn, HttpNode, chunk
from house.ports import free_ports

RELOADS = 60
DOWN = "http://127.0.0.1:1"


class StreamingNode(HttpNode):
    """GET gives the pieces that the test hands out as they come; PUT hands the test the pieces that come."""

    def __init__(self):
        super().__init__({"/v1/sys/monitor": self._give, "/v1/sys/storage/raft/snapshot": self._take})
        self.to_give, self.taken = queue.Queue(), queue.Queue()

    def _give(self, conn, _head):
        conn.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while piece := self.to_give.get(timeout=60):
            conn.send(chunk(piece))
        conn.send(b"0\r\n\r\n")

    def _take(self, conn, head):
        for piece in conn.pieces(head):
            self.taken.put(piece)
        conn.send(answer(b"{}"))


@pytest.mark.parametrize("mode", ["http", "tcp"])
def test_a_stream_in_each_direction_goes_on_over_many_reloads(tmp_path, command, mode):
    node = StreamingNode()
    file, control = tmp_path / "bellwether.json", tmp_path / "control.sock"
    port, more = free_ports(2)

    def write(turn):
        # The listener of the streams becomes another one each time, with the same socket; a second one comes and goes.
        listen = [{"address": f"127.0.0.1:{port}", "mode": mode, "timeout_idle": f"{60 + turn}s",
                   **({"fresh": turn % 2 == 1} if mode == "http" else {})}]
        if turn % 3 == 0:
            listen.append({"address": f"127.0.0.1:{more}", "mode": ("http", "redirect")[turn % 2]})
        nodes = [{"url": node.url, "name": f"leads{turn % 4}"}]
        if turn % 2:
            nodes.insert(turn // 2 % 2, {"url": DOWN, "name": "down"})
        file.write_text(json.dumps({"listen": listen, "admin": "127.0.0.1:0", "nodes": nodes, "inter": f"{1 + turn % 2}s",
                                    "control": str(control)}))

    def dial():
        return Conn(socket.create_connection(("127.0.0.1", port), timeout=60))

    write(0)
    with Bellwether(tmp_path, ["-f", file], env={"BELLWETHER_CONTROL": ""}) as proxy:
        proxy.wait_ready()
        with dial() as down, dial() as up:
            down.send(b"GET /v1/sys/monitor HTTP/1.1\r\nHost: v\r\n\r\n")
            given = down.pieces(down.head())
            up.send(b"PUT /v1/sys/storage/raft/snapshot HTTP/1.1\r\nHost: v\r\nTransfer-Encoding: chunked\r\n\r\n")
            for turn in range(1, RELOADS + 1):
                write(turn)
                done = command("reload", "--control", control)
                assert done.returncode == 0, done
                piece = b"piece %d" % turn
                node.to_give.put(piece)
                up.send(chunk(piece))
                assert next(given) == piece
                assert node.taken.get(timeout=60) == piece
            node.to_give.put(None)
            assert not list(given)
            up.send(b"0\r\n\r\n")
            assert up.answer()[1] == b"{}"
        assert len(proxy.events("config_reloaded")) == RELOADS
