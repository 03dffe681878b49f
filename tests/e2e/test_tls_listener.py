"""TLS to clients: which versions, whose certificates, and what is counted of those who fail."""

import socket
import ssl

import pytest

from house.bellwether import LOOPBACK, Bellwether
from house.certificates import Certificates
from house.leader_server import LeaderServer
from house.waiting import wait_until
from house.web import Tls, request

NAME = "bellwether.test"


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("ours"), common_name=NAME)


@pytest.fixture(scope="module")
def strangers(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("strangers"), common_name=NAME)


@pytest.fixture(params=["http", "redirect"])
def mode(request):
    return request.param


@pytest.fixture
def start(ours, tmp_path, mode):
    """Runs it with a certificate and these words."""
    running = []
    leader = LeaderServer()

    def run(*words):
        cert, key = ours.issue("listener")
        words = [*LOOPBACK, "--mode", mode, "--tls-cert", cert, "--tls-key", key, *words, leader.url]
        running.append(Bellwether(tmp_path, [str(word) for word in words]))
        return running[0].wait_ready()

    yield run
    for each in running:
        each.end()
        each.process.expect_no_sanitizer_report()
    leader.end()


def client(ours, pair=None, version=None):
    tls = Tls(ours.ca_file, NAME)
    if pair:
        tls.context.load_cert_chain(*pair)
    if version:
        tls.context.maximum_version = version
    return tls


def get(proxy, tls):
    return request(f"https://{proxy.address}/v1/sys/health", tls=tls).status


def failures(proxy, reason):
    return proxy.metrics().sum("bellwether_tls_handshake_failures_total", reason=reason)


def expect_failure(proxy, reason, attempt):
    with pytest.raises(OSError):
        attempt()
    wait_until(lambda: failures(proxy, reason) == 1, 10, f"one failed handshake: {reason}")


def test_without_a_certificate_where_one_is_required_nothing_is_answered(start, ours, strangers, mode):
    proxy = start("--tls-client-ca", ours.ca_file)
    answered = {"http": 200, "redirect": 307}[mode]
    assert get(proxy, client(ours, ours.issue("client"))) == answered
    expect_failure(proxy, "no_certificate", lambda: get(proxy, client(ours)))
    expect_failure(proxy, "bad_certificate", lambda: get(proxy, client(ours, strangers.issue("client"))))


def test_an_optional_certificate_may_be_left_out_but_must_not_be_a_strangers(start, ours, strangers, mode):
    proxy = start("--tls-client-ca", ours.ca_file, "--tls-client-auth", "optional")
    answered = {"http": 200, "redirect": 307}[mode]
    assert get(proxy, client(ours)) == answered
    assert get(proxy, client(ours, ours.issue("client"))) == answered
    expect_failure(proxy, "bad_certificate", lambda: get(proxy, client(ours, strangers.issue("client"))))


def test_the_oldest_version_can_be_set(start, ours):
    proxy = start("--tls-min-version", "1.3")
    assert get(proxy, client(ours)) in (200, 307)
    expect_failure(proxy, "protocol", lambda: get(proxy, client(ours, version=ssl.TLSVersion.TLSv1_2)))


def resumed(proxy, tls, session):
    """(whether the session was resumed, the session that came with the answer)."""
    host, port = proxy.address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=10) as raw:
        with tls.context.wrap_socket(raw, server_hostname=NAME, session=session) as conn:
            conn.sendall(b"GET /v1/sys/health HTTP/1.1\r\nHost: v\r\n\r\n")
            assert conn.recv(1 << 16).startswith(b"HTTP/1.1 ")
            return conn.session_reused, conn.session


def test_a_session_is_not_resumed_beyond_its_lifetime_though_each_resumption_renews_its_ticket(start, ours):
    proxy = start("--tls-ticket-lifetime", "3s")
    tls = client(ours)
    _, session = resumed(proxy, tls, None)
    was_resumed, session = resumed(proxy, tls, session)
    assert was_resumed

    def is_over():
        nonlocal session
        again, session = resumed(proxy, tls, session)
        return not again

    wait_until(is_over, 20, "a full handshake")


def test_without_a_ticket_lifetime_every_handshake_is_a_full_one(start, ours):
    proxy = start("--tls-ticket-lifetime", "0s")
    tls = client(ours)
    _, session = resumed(proxy, tls, None)
    assert not resumed(proxy, tls, session)[0]


def test_clients_that_do_not_trust_us_speak_plain_or_leave_are_counted(start, ours, strangers):
    proxy = start()
    expect_failure(proxy, "alert", lambda: get(proxy, client(strangers)))
    assert request(f"http://{proxy.address}/v1/sys/health").status == 400
    wait_until(lambda: failures(proxy, "plain_http") == 1, 10, "one failed handshake: plain_http")
    host, port = proxy.address.rsplit(":", 1)
    socket.create_connection((host, int(port)), timeout=10).close()
    wait_until(lambda: failures(proxy, "closed") == 1, 10, "the one that left to be counted")
    assert get(proxy, client(ours)) in (200, 307)
