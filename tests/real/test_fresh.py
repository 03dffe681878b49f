"""`fresh` before a real cluster: no answer is older than a write acknowledged before it was asked for, by any method.
BELLWETHER_STEP_DOWNS says through how many step-downs (2)."""

import base64
import itertools
import os
import threading

import pytest

from house.bellwether import LOOPBACK, Bellwether
from house.waiting import wait_until
from house.web import connection, send
from scenario import to_nodes

pytestmark = [pytest.mark.real_server, pytest.mark.slow,
              pytest.mark.parametrize("started_cluster", ["real"], indirect=True)]

STEP_DOWNS = int(os.environ.get("BELLWETHER_STEP_DOWNS", "2"))
PLAIN = base64.b64encode(b"any").decode()

# For each: what makes number n known, and what asks for it, which fails as long as a node does not know of it. All asked
# by POST, and answered by standbys.
KNOWLEDGE = {
    "token": (lambda n: ("auth/token/create", {"id": f"fresh-{n}", "policies": ["default"]}),
              lambda n: ("auth/token/lookup", {"token": f"fresh-{n}"})),
    "entity": (lambda n: ("identity/entity", {"name": f"fresh-{n}"}),
               lambda n: ("identity/lookup/entity", {"name": f"fresh-{n}"})),
    "transit": (lambda n: (f"fresh-keys/keys/fresh-{n}", {}),
                lambda n: (f"fresh-keys/hmac/fresh-{n}", {"input": PLAIN})),
}


class Pair(threading.Thread):
    """Writes at the node that leads, with no Bellwether between, and asks for it through Bellwether at once."""

    def __init__(self, cluster, proxy, kind, leader):
        super().__init__(daemon=True)
        self._cluster, self._address, self._leader = cluster, proxy.address, leader
        self._write, self._ask = KNOWLEDGE[kind]
        self.finish = threading.Event()
        self.asked, self.stale, self.ambiguous, self.other = 0, [], 0, []

    def run(self):
        conn = connection(f"http://{self._address}", timeout=60)
        for number in itertools.count(threading.get_ident()):
            if self.finish.is_set():
                break
            path, body = self._write(number)
            if not self._acknowledged(path, body):
                continue
            path, body = self._ask(number)
            answer = send(conn, "POST", f"/v1/{path}", body, {"X-Vault-Token": self._cluster.token})
            self.asked += 1
            if answer.status == 502:
                self.ambiguous += 1
            elif answer.status != 200:
                (self.stale if answer.status in (204, 400, 403, 404) else self.other).append(answer)
        conn.close()

    def _acknowledged(self, path, body):
        for index in [self._leader[0], *range(len(self._cluster.nodes))]:
            try:
                if self._cluster.call(index, "POST", f"/v1/{path}", body).status in (200, 204):
                    self._leader[0] = index
                    return True
            except OSError:
                continue
        return False


def test_no_answer_to_a_post_is_out_of_date_in_step_downs(cluster, tmp_path):
    mounted = cluster.call(cluster.wait_for_leader(), "POST", "/v1/sys/mounts/fresh-keys", {"type": "transit"})
    assert mounted.status == 204, mounted
    with Bellwether(tmp_path, [*LOOPBACK, "--mode", "http", "--fresh", *to_nodes(cluster)]) as proxy:
        proxy.wait_ready()
        leader = [cluster.wait_for_leader()]
        pairs = [Pair(cluster, proxy, kind, leader) for kind in KNOWLEDGE for _ in range(2)]
        for pair in pairs:
            pair.start()
        try:
            for _ in range(STEP_DOWNS):
                cluster.change_leader()
                so_far = [pair.asked for pair in pairs]
                wait_until(lambda: all(pair.asked >= old + 5 for pair, old in zip(pairs, so_far)), 120, "all to go on")
        finally:
            for pair in pairs:
                pair.finish.set()
            for pair in pairs:
                pair.join(90)
        print("asked", sum(pair.asked for pair in pairs), "ambiguous", sum(pair.ambiguous for pair in pairs))
        assert [answer for pair in pairs for answer in pair.stale] == []
        assert [answer for pair in pairs for answer in pair.other] == []
        assert all(pair.ambiguous <= STEP_DOWNS for pair in pairs)
    cluster.call(cluster.wait_for_leader(), "DELETE", "/v1/sys/mounts/fresh-keys")
