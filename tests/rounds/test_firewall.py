"""Packets that get lost, and only those."""

import socket

import pytest

from house import firewall

pytestmark = pytest.mark.skipif(not firewall.is_possible(), reason=firewall.HOW_TO_GET_ONE)


@pytest.fixture
def wall():
    made = firewall.Firewall().start()
    yield made
    made.end()


@pytest.fixture
def port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def reaches(port, source):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=0.3, source_address=(source, 0)):
            return True
    except TimeoutError:
        return False


def test_a_port_is_hidden_from_the_client_alone(wall, port):
    assert reaches(port, wall.client)
    wall.hide_from_client(port)
    assert not reaches(port, wall.client)
    assert reaches(port, "127.0.0.1")


def test_of_what_a_client_sends_a_share_is_lost_and_comes_when_sent_again(wall):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port), source_address=(wall.client, 0)) as client:
            server, _ = listener.accept()
            with server:
                server.settimeout(60)
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                wall.lose_for_client(port, 0.3)
                for number in range(40):
                    client.sendall(bytes([number]))
                assert b"".join(iter(lambda: server.recv(1), b"\x27")) == bytes(range(39))
                assert wall.dropped() > 0


def test_what_was_hidden_is_found_again(wall, port):
    wall.hide_from_client(port)
    wall.clear()
    assert reaches(port, wall.client)
