"""Too many connections: who waits for nobody makes room for who wants something."""

import contextlib
import socket

import pytest

from house.bellwether import Bellwether, LOOPBACK
from house.waiting import wait_until
from house.web import request


def dial(address):
    host, port = address.rsplit(":", 1)
    return socket.create_connection((host, int(port)), timeout=20)


@contextlib.contextmanager
def silent_clients(address, count):
    held = [dial(address) for _ in range(count)]
    try:
        yield held
    finally:
        for sock in held:
            sock.close()


@pytest.mark.parametrize("mode", ["tcp", "http", "redirect"])
@pytest.mark.parametrize("threads", ["1", "2"])
def test_silent_connections_at_maxconn_keep_nobody_out(sim, tmp_path, mode, threads):
    env = {"BELLWETHER_MAXCONN": "50", "BELLWETHER_THREADS": threads}
    with Bellwether(tmp_path, [*LOOPBACK, "--mode", mode, *sim.urls], env=env) as proxy:
        proxy.wait_ready()
        with silent_clients(proxy.address, 50):
            wait_until(lambda: proxy.metrics().sum("bellwether_connections", side="client") >= 50 or mode == "redirect",
                       10, "all of them to be accepted")
            for _ in range(5):
                assert request(f"http://{proxy.address}/v1/sys/health", timeout=5).status in (200, 307)
            assert proxy.metrics().sum("bellwether_sessions_cut_total", reason="maxconn") >= 1
        line = wait_until(lambda: proxy.events("connections_made_room"), 10, "a line in the log")[0]
        assert line.level == "WARN"
        assert "maxconn 50" in line.fields["why"]


@pytest.mark.parametrize("mode", ["tcp", "http", "redirect"])
def test_a_connection_that_never_says_a_byte_is_ended(sim, tmp_path, mode):
    env = {"BELLWETHER_TIMEOUT_HEADER": "500ms"}
    with Bellwether(tmp_path, [*LOOPBACK, "--mode", mode, *sim.urls], env=env) as proxy:
        proxy.wait_ready()
        with silent_clients(proxy.address, 3) as held:
            assert [sock.recv(100) for sock in held] == [b"", b"", b""]

        def counted():
            return proxy.metrics().sum("bellwether_sessions_cut_total", reason="no_first_byte")

        # A client sees its end a moment before the connection is counted as ended.
        wait_until(lambda: counted() >= 3, 20, "all three to be counted")
        assert counted() == 3


def test_idle_connections_to_the_admin_address_keep_no_probe_of_an_orchestrator_out(proxy):
    address = proxy.admin.split("//")[1]
    with silent_clients(address, 300):
        for _ in range(5):
            assert proxy.is_ready()
        assert proxy.metrics().sum("bellwether_admin_connections_made_room_total") >= 1
        assert wait_until(lambda: proxy.events("connections_made_room"), 10, "a line in the log")


def test_a_put_of_two_mebibytes_is_redirected(sim, tmp_path):
    with Bellwether(tmp_path, [*LOOPBACK, "--mode", "redirect", *sim.urls]) as proxy:
        proxy.wait_ready()
        answer = request(f"http://{proxy.address}/v1/secret/big", "PUT", b"x" * (2 << 20), timeout=20)
        assert answer.status == 307
        assert answer.headers["location"].endswith("/v1/secret/big")
