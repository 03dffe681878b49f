"""From start to the last goodbye: ready, draining, done."""

import signal
import socket

import pytest

from house.bellwether import Bellwether, LOOPBACK
from house.waiting import wait_until


@pytest.fixture
def before_fake(fake_leader, tmp_path):
    with Bellwether(tmp_path, [*LOOPBACK, fake_leader]) as made:
        yield made.wait_ready()


def connect(proxy):
    host, port = proxy.address.rsplit(":", 1)
    return socket.create_connection((host, int(port)), timeout=10)


def exchange(client, word):
    client.sendall(word)
    got = b""
    while len(got) < len(word):
        part = client.recv(65536)
        assert part, "closed in the middle"
        got += part
    return got == word


def test_term_without_sessions_ends_it_at_once_and_well(before_fake):
    before_fake.process.terminate()
    assert before_fake.process.wait(10) == 0


def test_term_lets_a_session_finish_and_says_not_ready_meanwhile(before_fake):
    with connect(before_fake) as client:
        assert exchange(client, b"ECHO before")
        before_fake.process.terminate()
        wait_until(lambda: before_fake.get("/readyz").status == 503, 10, "not ready while draining")
        assert before_fake.get("/healthz").status == 200
        assert exchange(client, b"after the signal")
        assert before_fake.process.is_running()
    assert before_fake.process.wait(20) == 0


def test_a_second_term_ends_it_with_sessions_open(before_fake):
    with connect(before_fake) as client:
        assert exchange(client, b"ECHO before")
        before_fake.process.terminate()
        wait_until(lambda: before_fake.get("/readyz").status == 503, 10, "not ready while draining")
        before_fake.process.send(signal.SIGTERM)
        assert before_fake.process.wait(10) in (0, 1)


def test_half_a_connection_goes_on_until_the_other_half_ends(before_fake):
    with connect(before_fake) as client:
        client.sendall(b"ECHO and goodbye")
        client.shutdown(socket.SHUT_WR)
        got = b""
        while part := client.recv(65536):
            got += part
        assert got == b"ECHO and goodbye"


def test_it_is_not_ready_and_says_why_while_no_node_answers(tmp_path):
    with Bellwether(tmp_path, [*LOOPBACK, "http://127.0.0.1:1"]) as lonely:
        assert lonely.get("/healthz").status == 200
        assert lonely.get("/readyz").status == 503
        assert lonely.leader_by_status() is None
        assert lonely.get("/leader").status == 503
