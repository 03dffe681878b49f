"""`bootstrap`: a cluster is initialized once, whatever the operator or a script sends, and however often."""

import contextlib
import threading

import pytest

from house.bellwether import LOOPBACK, Bellwether
from house.http_node import Gone
from house.ports import free_ports
from house.role_node import RoleNode, with_status
from house.waiting import wait_until
from house.web import request

INIT = "/v1/sys/init"


class Initializable(RoleNode):
    """Sealed after sys/init, like a node of Vault's. `on_init`: what it does instead."""

    def __init__(self):
        self.on_init = None
        super().__init__("uninitialized", answers={INIT: self._init})

    def _init(self, conn, head):
        conn.body(head)
        if self.on_init:
            return self.on_init(conn)
        self.role = "sealed"
        return conn.send(with_status(200, b'{"keys":["k"],"root_token":"t"}'))

    def inits(self):
        return len([path for path in self.paths() if path == INIT])


@pytest.fixture
def nodes():
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(Initializable()) for _ in range(3)]


@pytest.fixture(params=[1, 2], ids=["one worker", "two workers"])
def proxy(request, nodes, tmp_path):
    words = [*LOOPBACK, "--mode", "http", "--bootstrap", "--threads", request.param, *[node.url for node in nodes]]
    with Bellwether(tmp_path, words) as made:
        wait_until(lambda: all(each["role"] == "uninitialized" for each in made.status()["nodes"]), 10, "all to be heard")
        yield made


def init(proxy):
    return request(f"http://{proxy.address}{INIT}", "PUT", {"secret_shares": 1, "secret_threshold": 1}, timeout=20)


def test_three_in_a_row_initialize_one_node(proxy, nodes):
    answers = [init(proxy) for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 421, 421]
    assert "initialized" in answers[1].json()["errors"][0]
    assert sum(node.inits() for node in nodes) == 1


def test_many_at_once_initialize_one_node(proxy, nodes):
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(init(proxy))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(answer.status for answer in answers) == [200] + [421] * 11
    assert sum(node.inits() for node in nodes) == 1


def test_one_of_unknown_outcome_is_the_last(proxy, nodes):
    def cut(conn):
        conn.close()
        raise Gone

    nodes[0].on_init = cut
    assert init(proxy).status == 502
    for _ in range(3):
        refused = init(proxy)
        assert refused.status == 421
        assert "did not say what came of it" in refused.json()["errors"][0]
    assert sum(node.inits() for node in nodes) == 1


def test_one_that_the_node_refuses_may_be_sent_again(proxy, nodes):
    nodes[0].on_init = lambda conn: conn.send(with_status(400, b'{"errors":["secret_shares must be 1"]}'))
    assert init(proxy).status == 400
    nodes[0].on_init = None
    assert init(proxy).status == 200
    assert [node.inits() for node in nodes] == [2, 0, 0]


def test_nothing_is_initialized_while_a_node_is_missing(nodes, tmp_path):
    missing = f"http://127.0.0.1:{free_ports(1)[0]}"
    words = [*LOOPBACK, "--mode", "http", "--bootstrap", nodes[0].url, nodes[1].url, missing]
    with Bellwether(tmp_path, words) as proxy:
        wait_until(lambda: proxy.status()["nodes"][1]["role"] == "uninitialized", 10, "two to be heard")
        refused = init(proxy)
        assert refused.status == 503
        assert "must be heard first" in refused.json()["errors"][0]
        assert sum(node.inits() for node in nodes) == 0


def test_nothing_is_initialized_where_a_node_is_already(nodes, tmp_path):
    nodes[1].role = "sealed"
    words = [*LOOPBACK, "--mode", "http", "--bootstrap", *[node.url for node in nodes]]
    with Bellwether(tmp_path, words) as proxy:
        wait_until(lambda: proxy.status()["nodes"][1]["role"] == "sealed", 10, "it to be heard")
        refused = init(proxy)
        assert refused.status == 421
        assert "says sealed" in refused.json()["errors"][0]
        assert sum(node.inits() for node in nodes) == 0
