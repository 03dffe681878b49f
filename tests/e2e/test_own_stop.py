"""Bellwether itself stands still for seconds (a paused virtual machine, a starved core) while the leader changes: what
clients sent meanwhile must not go by what was true before the stop."""

import socket
import threading
import time

import pytest

from house.bellwether import LOOPBACK, Bellwether
from house.http_node import Conn, Gone
from house.role_node import RoleNode
from house.waiting import wait_until

CLIENTS = 100
STOP_SECONDS = 5
LATE = "/v1/secret/data/late-"


class Client:
    """One connection; half of them have been used before the stop."""

    def __init__(self, number, address):
        self.number = number
        host, port = address.rsplit(":", 1)
        self._address = (host, int(port))
        self.conn = None
        self.answer = None

    def _dial(self):
        if self.conn is None:
            self.conn = Conn(socket.create_connection(self._address, timeout=30))

    def ask(self, path):
        self._dial()
        self.conn.send(f"GET {path} HTTP/1.1\r\nHost: v\r\nX-Vault-Token: t\r\n\r\n".encode())

    def hear(self):
        """None: the connection ended without an answer."""
        try:
            head, _ = self.conn.answer()
            self.answer = head.decode()
        except (Gone, OSError):
            self.answer = None


def hear_all(clients):
    threads = [threading.Thread(target=client.hear) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)


def stop_while_the_leader_changes(proxy, old, new, clients):
    proxy.process.freeze()
    old.role, new.role = "standby", "active"
    for client in clients:
        client.ask(f"{LATE}{client.number}")
    # The length of the fault, not a wait for anything.
    threading.Event().wait(STOP_SECONDS)
    proxy.process.thaw()
    hear_all(clients)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("mode", ["http", "tcp", "redirect"])
def test_nothing_that_waited_reaches_the_former_leader(mode, threads, tmp_path):
    with RoleNode("active") as old, RoleNode("standby") as new:
        words = [*LOOPBACK, "--mode", mode, "--threads", threads, old.url, new.url]
        with Bellwether(tmp_path, words) as proxy:
            proxy.wait_ready()
            clients = [Client(number, proxy.address) for number in range(CLIENTS)]
            for client in clients[::2]:
                client.ask("/v1/secret/data/early")
            hear_all(clients[::2])
            assert all(client.answer for client in clients[::2])
            stop_while_the_leader_changes(proxy, old, new, clients)
            assert [path for path in old.paths() if path.startswith(LATE)] == []
            answers = [client.answer for client in clients]
            if mode == "redirect":
                assert not [answer for answer in answers if answer and old.url in answer]
                assert all(answer and f"Location: {new.url}/" in answer for answer in answers)
            elif mode == "http":
                assert all(answer and " 200 " in answer.splitlines()[0] for answer in answers)
            else:
                # A kept connection may end, with its request unsent; a new one is served.
                assert all(answer for answer in answers[1::2])
            wait_until(lambda: proxy.events("loop_late"), 5, "the log to tell of the stop")


def test_who_waited_is_served_as_soon_as_the_same_leader_has_claimed_anew(tmp_path):
    with RoleNode("active") as leader, RoleNode("standby") as other:
        with Bellwether(tmp_path, [*LOOPBACK, "--mode", "tcp", leader.url, other.url]) as proxy:
            proxy.wait_ready()
            clients = [Client(number, proxy.address) for number in range(20)]
            for client in clients[::2]:
                client.ask("/v1/secret/data/early")
            hear_all(clients[::2])
            proxy.process.freeze()
            for client in clients:
                client.ask(f"{LATE}{client.number}")
            threading.Event().wait(2)
            proxy.process.thaw()
            begun = time.monotonic()
            hear_all(clients)
            assert time.monotonic() - begun < 5
            assert all(client.answer for client in clients)
            assert len([path for path in leader.paths() if path.startswith(LATE)]) == len(clients)
