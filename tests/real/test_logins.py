"""Step-downs of a real cluster under logins to a RADIUS server that counts them, and under clients of kv and transit.
BELLWETHER_STEP_DOWNS says how many (2), BELLWETHER_LOGINS how many logins there are in all at least (300)."""

import base64
import collections
import http.client
import itertools
import os
import threading

import pytest

from house.bellwether import LOOPBACK, Bellwether
from house.radius_server import RadiusServer
from house.waiting import wait_until
from house.web import connection, send
from scenario import to_nodes

pytestmark = [pytest.mark.real_server, pytest.mark.slow,
              pytest.mark.parametrize("started_cluster", ["real"], indirect=True)]

STEP_DOWNS = int(os.environ.get("BELLWETHER_STEP_DOWNS", "2"))
LOGINS = int(os.environ.get("BELLWETHER_LOGINS", "300"))
CLIENTS = 4  # of each kind
PAUSES = {"login": 0}  # seconds between two requests of a client; others leave the machine to the logins

Asked = collections.namedtuple("Asked", "name status text")


class Client(threading.Thread):
    """One request after the other over one kept connection; `make(name)` says what is asked under a name of its own."""

    _numbers = itertools.count()

    def __init__(self, proxy, token, make, pause):
        super().__init__(daemon=True)
        self._pause = pause
        self._address, self._token, self._make = proxy.address, token, make
        self.finish, self.asked = threading.Event(), []

    def run(self):
        conn = connection(f"http://{self._address}", timeout=60)
        while not self.finish.wait(self._pause):
            name = f"u{next(self._numbers)}"
            method, path, body = self._make(name)
            try:
                answer = send(conn, method, path, body, {"X-Vault-Token": self._token} if self._token else {})
                self.asked.append(Asked(name, answer.status, answer.text()))
            except (OSError, http.client.HTTPException) as error:
                self.asked.append(Asked(name, 0, repr(error)))
                conn = connection(f"http://{self._address}", timeout=60)
        conn.close()


@pytest.fixture
def radius(cluster):
    server = RadiusServer()
    leader = cluster.wait_for_leader()
    cluster.call(leader, "POST", "/v1/sys/auth/radius", {"type": "radius"})
    answer = cluster.call(leader, "POST", "/v1/auth/radius/config", {
        "host": "127.0.0.1", "port": server.port, "secret": server.secret, "unregistered_user_policies": "default"})
    assert answer.status == 204, answer
    for path, body in (("sys/mounts/keys", {"type": "transit"}), ("keys/keys/any", {}), ("sys/mounts/old", {"type": "kv"})):
        assert cluster.call(leader, "POST", f"/v1/{path}", body).status in (200, 204), path
    yield server
    for path in ("auth/radius", "mounts/keys", "mounts/old"):
        # With an auth method go the tokens of all its logins.
        cluster.call(cluster.wait_for_leader(), "DELETE", f"/v1/sys/{path}", timeout=300)
    server.close()


@pytest.fixture
def proxy(cluster, tmp_path):
    with Bellwether(tmp_path, [*LOOPBACK, "--mode", "http", *to_nodes(cluster)]) as made:
        yield made.wait_ready()


def kinds(token):
    plain = base64.b64encode(b"any").decode()
    return {
        "login": ("", lambda name: ("POST", f"/v1/auth/radius/login/{name}", {"password": "123456"})),
        "kv v2": (token, lambda name: ("POST", f"/v1/secret/data/{name}", {"data": {"value": name}})),
        "kv v1": (token, lambda name: ("POST", f"/v1/old/{name}", {"value": name})),
        "transit": (token, lambda name: ("POST", "/v1/keys/encrypt/any", {"plaintext": plain})),
        "token": (token, lambda name: ("POST", "/v1/auth/token/create", {"policies": ["default"]})),
    }


def test_no_login_is_made_twice_and_storage_sees_no_error_in_step_downs(cluster, radius, proxy):
    clients = {kind: [Client(proxy, token, make, PAUSES.get(kind, 0.2)) for _ in range(CLIENTS)] for kind, (token, make) in
               kinds(cluster.token).items()}
    everybody = [client for group in clients.values() for client in group]
    for client in everybody:
        client.start()

    def go_on(least):
        so_far = [len(client.asked) for client in everybody]
        wait_until(lambda: all(len(client.asked) >= old + least for client, old in zip(everybody, so_far)), 120,
                   "all clients to go on")

    try:
        for _ in range(STEP_DOWNS):
            cluster.change_leader()
            go_on(5)
        wait_until(lambda: sum(len(client.asked) for client in clients["login"]) >= LOGINS, 1200, "all logins to be made")
    finally:
        for client in everybody:
            client.finish.set()
        for client in everybody:
            client.join(90)
    asked = {kind: [one for client in group for one in client.asked] for kind, group in clients.items()}
    failed = {kind: [one for one in all_asked if one.status not in (200, 204)] for kind, all_asked in asked.items()}
    print({kind: (len(asked[kind]), len(failed[kind])) for kind in asked})
    print([metric for metric in proxy.get("/metrics").text().splitlines() if "judged_answers_total" in metric
           and not metric.endswith(" 0")])
    assert [user for user, count in radius.requests.items() if count > 1] == []
    assert all(one.status == 502 for one in failed["login"]), failed["login"][:5]
    assert len(failed["login"]) <= CLIENTS * STEP_DOWNS
    del failed["login"]
    assert {kind: wrong for kind, wrong in failed.items() if wrong} == {}
