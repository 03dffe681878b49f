"""From start to the last goodbye: ready, draining, done."""

import signal
import socket
import time

import pytest

from house.bellwether import Bellwether, LOOPBACK
from house.waiting import wait_until
from house.web import request


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


@pytest.fixture
def that_delays_its_end(sim, tmp_path):
    words = ["--mode", "http", "--shutdown-delay", "2s"]
    with Bellwether(tmp_path, [*LOOPBACK, *words, *sim.urls]) as made:
        yield made.wait_ready()


def test_with_a_shutdown_delay_whoever_comes_after_term_is_served(that_delays_its_end):
    proxy = that_delays_its_end
    began = time.monotonic()
    proxy.process.terminate()
    wait_until(lambda: proxy.get("/readyz").status == 503, 10, "not ready while draining")
    answers = []
    while time.monotonic() - began < 1.5:  # nobody is connected between two requests
        answers.append(request(f"http://{proxy.address}/v1/sys/health"))
    assert {(each.status, each.headers.get("connection")) for each in answers} == {(200, "close")}
    assert proxy.process.wait(20) == 0
    assert 2 <= time.monotonic() - began < 10
    assert [line.fields["why"] for line in proxy.events("ending")] == ["idle"]


def test_a_second_term_ends_the_delay_too(that_delays_its_end):
    that_delays_its_end.process.terminate()
    wait_until(lambda: that_delays_its_end.get("/readyz").status == 503, 10, "not ready while draining")
    that_delays_its_end.process.send(signal.SIGTERM)
    assert that_delays_its_end.process.wait(10) in (0, 1)
    assert [line.fields["why"] for line in that_delays_its_end.events("ending")] == ["told twice"]


def test_a_second_term_ends_it_with_sessions_open(before_fake):
    with connect(before_fake) as client:
        assert exchange(client, b"ECHO before")
        before_fake.process.terminate()
        wait_until(lambda: before_fake.get("/readyz").status == 503, 10, "not ready while draining")
        before_fake.process.send(signal.SIGTERM)
        assert before_fake.process.wait(10) in (0, 1)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT], ids=["INT", "QUIT"])
def test_int_and_quit_drain_as_term_does(before_fake, number):
    with connect(before_fake) as client:
        assert exchange(client, b"ECHO before")
        before_fake.process.send(number)
        wait_until(lambda: before_fake.get("/readyz").status == 503, 10, "not ready while draining")
        assert exchange(client, b"after the signal")
    assert before_fake.process.wait(20) == 0


@pytest.mark.parametrize("name", ["USR1", "USR2", "ALRM", "PIPE"])
def test_other_signals_do_nothing_but_a_log_line(before_fake, name):
    with connect(before_fake) as client:
        assert exchange(client, b"ECHO before")
        before_fake.process.send(getattr(signal, "SIG" + name))
        wait_until(lambda: [each.fields["signal"] for each in before_fake.events("signal_ignored")] == [name], 10,
                   "the log line")
        assert exchange(client, b"after the signal")
        assert before_fake.get("/readyz").status == 200
    assert before_fake.process.is_running()


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
