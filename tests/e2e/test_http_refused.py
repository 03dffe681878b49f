"""Nodes that carry out a part of a request before they refuse it, as OpenBao's standbys do from 2.5 on: what may have had
an effect is not sent again, and what only touches storage is."""

import itertools
import threading

import pytest

from house.bellwether import LOOPBACK, Bellwether
from house.waiting import wait_until
from house.web import connection, request, send


@pytest.fixture
def proxy(sim, tmp_path):
    with Bellwether(tmp_path, [*LOOPBACK, "--mode", "http", *sim.urls]) as made:
        yield made.wait_ready()


class Loop(threading.Thread):
    """One client over one kept connection, one request after the other; each has a name of its own."""

    _numbers = itertools.count()

    def __init__(self, proxy, make):
        super().__init__()
        self._address, self._make = proxy.address, make
        self.finish = threading.Event()
        self.answers = []  # (name, status, text)

    def run(self):
        conn = connection(f"http://{self._address}", timeout=40)
        while not self.finish.is_set():
            name = f"r{next(self._numbers)}"
            method, path, body, headers = self._make(name)
            answer = send(conn, method, path, body, headers)
            self.answers.append((name, answer.status, answer.text()))
        conn.close()


def through_faults(proxy, sim, make, faults, clients=4):
    """All answers that the clients got while those faults were done to the leader."""
    loops = [Loop(proxy, make) for _ in range(clients)]
    for loop in loops:
        loop.start()

    def go_on():
        so_far = [len(loop.answers) for loop in loops]
        wait_until(lambda: all(len(loop.answers) > old + 5 for loop, old in zip(loops, so_far)), 30, "all to go on")

    try:
        for fault in faults:
            go_on()
            old = sim.leader()
            fault(old)
            sim.wait_for_leader(other_than=old)
            go_on()
            sim.heal()
    finally:
        for loop in loops:
            loop.finish.set()
        for loop in loops:
            loop.join(60)
    return [answer for loop in loops for answer in loop.answers]


def test_no_login_reaches_the_radius_server_twice_in_step_downs(proxy, sim):
    def login(user):
        return "POST", f"/v1/auth/radius/login/{user}", {"password": "123456"}, {}

    answers = through_faults(proxy, sim, login, [sim.step_down] * 3)
    assert [user for user, _, _ in answers if sim.radius_calls(user) > 1] == []
    failed = [(status, text) for _, status, text in answers if status != 200]
    assert all(status == 502 and "may have carried out a part" in text for status, text in failed), failed
    assert failed, "no login met the step-downs: the test shows nothing"
    assert len(failed) <= 3 * 4, "more than one for each client and step-down"


def test_a_token_that_connection_strips_makes_no_login_safe(proxy, sim):
    """The node gets the request without a token, and so as a login."""
    def login(user):
        return ("POST", f"/v1/auth/radius/login/{user}", {"password": "123456"},
                {"X-Vault-Token": "any", "Connection": "X-Vault-Token"})

    answers = through_faults(proxy, sim, login, [sim.step_down])
    assert [user for user, _, _ in answers if sim.radius_calls(user) > 1] == []


@pytest.mark.parametrize("path", ["/v1/secret/data/{}", "/v1/auth/token/create"])
def test_what_only_touches_storage_sees_no_error_in_a_step_down_or_a_seal(proxy, sim, path):
    def write(name):
        return "POST", path.format(name), {"data": {"value": name}, "id": name}, {"X-Vault-Token": sim.token}

    answers = through_faults(proxy, sim, write, [sim.step_down, sim.seal, sim.step_down])
    assert [(status, text) for _, status, text in answers if status != 200] == []
    if "secret" in path:
        assert [name for name, _, _ in answers if sim.writes(name) != 1] == []
        assert proxy.metrics().sum("bellwether_judged_answers_total", row="unknown_mount") > 0, "no mount was asked for"


def test_a_mount_that_the_client_may_not_ask_about_gets_the_ambiguous_error(proxy, sim):
    """The simulated cluster knows one mount only."""
    def read(name):
        return "POST", f"/v1/other/{name}", {}, {"X-Vault-Token": sim.token}

    answers = through_faults(proxy, sim, read, [sim.step_down])
    strange = [(status, text) for _, status, text in answers if status not in (404, 502)]
    assert strange == []
    assert all("may have carried out a part" in text for _, status, text in answers if status == 502)
    assert any(status == 502 for _, status, _ in answers)


def test_a_secret_whose_name_ends_like_a_stream_is_no_stream(sim, tmp_path):
    headers = {"X-Vault-Token": sim.token}
    with Bellwether(tmp_path, [*LOOPBACK, "--mode", "http", "--log-requests", *sim.urls]) as proxy:
        proxy.wait_ready()
        answer = request(f"http://{proxy.address}/v1/secret/data/sys/monitor", "POST", {"data": {"a": "b"}}, headers)
        assert answer.status == 200
        request(f"http://{proxy.address}/v1/sys/monitor", headers=headers)
        request(f"http://{proxy.address}/v1/sys/mon%69tor", headers=headers)
        wait_until(lambda: len(proxy.events("request")) == 3, 10, "three lines")
        assert [event.fields["class"] for event in proxy.events("request")] == ["data", "stream", "stream"]
