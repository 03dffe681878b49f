"""Clients that ask for one thing after the other, and remember which node executed each."""

import collections
import contextlib
import http.client
import itertools
import threading

from .waiting import wait_until

# With --node-id-header the simulated nodes say it, as real ones may.
EXECUTOR = "x-vault-raft-node-id"
# Answered with 200 by whoever holds itself for the leader, without a write; the last part tells requests apart.
PATH = "/v1/sys/internal/ui/mounts/secret/"

Told = collections.namedtuple("Told", "status executor path port")


class Client(threading.Thread):
    """Asks for one thing after the other, over its connections in turn; each client has an address of its own."""

    def __init__(self, name, address, token, own_address, connections):
        super().__init__(name=name)
        self._host, port = address.rsplit(":", 1)
        self._port, self._token, self._own = int(port), token, own_address
        self._connections = [None] * max(connections, 1)
        self.keeps = connections > 0
        self.finish = threading.Event()
        self.told = []
        self.errors = []

    def run(self):
        for number in itertools.count():
            if self.finish.wait(0.004):
                break
            self._ask(number, number % len(self._connections))
        for conn in self._connections:
            if conn is not None:
                conn.close()

    def _ask(self, number, turn):
        conn = self._connections[turn]
        path = f"{PATH}{self.name}-{number}"
        try:
            if conn is None:
                conn = self._connections[turn] = http.client.HTTPConnection(
                    self._host, self._port, timeout=30, source_address=(self._own, 0))
                conn.connect()
            port = conn.sock.getsockname()[1]
            conn.request("GET", path, headers={
                "X-Vault-Token": self._token, **({} if self.keeps else {"Connection": "close"})})
            response = conn.getresponse()
            response.read()
            self.told.append(Told(response.status, response.getheader(EXECUTOR), path, f"{self._own}:{port}"))
            if not self.keeps or response.will_close:
                self._connections[turn] = None
                conn.close()
        except (OSError, http.client.HTTPException) as error:
            self.errors.append(error)
            self._connections[turn] = None
            if conn is not None:
                conn.close()


@contextlib.contextmanager
def running(made):
    """Clients that ask until the end of the `with`."""
    for client in made:
        client.start()
    try:
        yield
    finally:
        for client in made:
            client.finish.set()
        for client in made:
            client.join(60)


@contextlib.contextmanager
def clients(proxy, sim, kinds):
    """Of each kind (how many kept connections; 0: one for each request) two."""
    made = [Client(f"{kind}x{copy}", proxy.address, sim.token, f"127.0.1.{index * 2 + copy + 1}", connections)
            for index, (kind, connections) in enumerate(kinds.items()) for copy in range(2)]
    with running(made):
        yield made


def all_ask_on(asking, times=20):
    so_far = {client: len(client.told) for client in asking}
    wait_until(lambda: all(len(client.told) >= so_far[client] + times for client in asking), 30, "all clients to go on")
