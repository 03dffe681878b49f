"""Who waits for a leader and leaves is gone at once, and what it asked is not done; what waits has a limit in bytes."""

import socket
import struct

import pytest

from house.bellwether import LOOPBACK, Bellwether, is_sanitized
from house.http_node import Conn
from house.role_node import RoleNode
from house.waiting import wait_until

CLIENTS = 20


def put(number, size):
    return (f"PUT /v1/secret/data/held-{number} HTTP/1.1\r\nHost: v\r\nX-Vault-Token: t\r\n"
            f"Content-Length: {size}\r\n\r\n").encode() + b"x" * size


def dial(address):
    host, port = address.rsplit(":", 1)
    return socket.create_connection((host, int(port)), timeout=30)


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def held(proxy):
    return proxy.metrics().sum("bellwether_held_requests")


@pytest.mark.parametrize("leave", [socket.socket.close, reset], ids=["close", "reset"])
@pytest.mark.parametrize("size", [20_000, 90_000])
def test_a_held_client_that_has_left_is_not_executed_however_much_it_had_sent(leave, size, tmp_path):
    with RoleNode("standby") as node, RoleNode("standby") as other:
        with Bellwether(tmp_path, [*LOOPBACK, "--mode", "http", node.url, other.url]) as proxy:
            socks = [dial(proxy.address) for _ in range(CLIENTS)]
            for number, sock in enumerate(socks):
                sock.sendall(put(number, size))
            wait_until(lambda: held(proxy) == CLIENTS, 10, "all to be held")
            for sock in socks:
                leave(sock)
            wait_until(lambda: held(proxy) == 0, 10, "all to have given up their place")
            node.role = "active"
            proxy.wait_ready()
            # One that comes later is served, and shows that those before it would have been by now.
            with Conn(dial(proxy.address)) as last:
                last.send(put("last", 10))
                assert b" 200 " in last.answer()[0].splitlines()[0]
            assert node.paths() == ["/v1/secret/data/held-last"]


def test_a_held_client_whose_end_is_behind_more_than_the_kernel_takes_is_not_executed(tmp_path):
    """Its FIN shows when all before it has been read: the node must not have got the last of the body by then."""
    done = []

    def execute(conn, head):
        done.append(conn.body(head))
        RoleNode.echo(conn, head)

    with RoleNode("standby", answers={"/v1/secret/data/held-0": execute}) as node:
        with Bellwether(tmp_path, [*LOOPBACK, "--mode", "http", node.url]) as proxy:
            host, port = proxy.address.rsplit(":", 1)
            sock = socket.socket()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 22)
            sock.connect((host, int(port)))
            sock.sendall(put(0, 1_000_000))
            sock.close()
            wait_until(lambda: held(proxy) == 1, 10, "it to be held")
            node.role = "active"
            proxy.wait_ready()
            wait_until(lambda: proxy.metrics().sum("bellwether_connections", side="client") == 0, 10, "it to be gone")
            assert done == []


def test_a_client_that_is_redirected_and_leaves_while_it_is_held_gives_up_its_place(tmp_path):
    with RoleNode("standby") as node:
        with Bellwether(tmp_path, [*LOOPBACK, "--mode", "redirect", node.url]) as proxy:
            sock = dial(proxy.address)
            sock.sendall(b"GET /v1/a HTTP/1.1\r\nHost: v\r\n\r\n" * 2000)
            wait_until(lambda: held(proxy) == 1, 10, "it to be held")
            sock.close()
            wait_until(lambda: held(proxy) == 0, 10, "it to have given up its place")


def test_what_waits_has_a_limit_in_bytes(tmp_path):
    with RoleNode("standby") as node:
        words = [*LOOPBACK, "--mode", "http", "--hold-bytes", 512 * 1024, node.url]
        with Bellwether(tmp_path, words) as proxy:
            wait_until(lambda: not proxy.is_ready(), 5, "no leader")
            conns = [Conn(dial(proxy.address)) for _ in range(40)]
            refused = 0
            for number, conn in enumerate(conns):
                conn.send(put(number, 60_000))
                wait_until(lambda seen=number: held(proxy) + proxy.metrics().sum(
                    "bellwether_hold_overflows_total") == seen + 1, 10, "it to be held or turned away")
            refused = proxy.metrics().sum("bellwether_hold_overflows_total")
            assert 40 - 512 * 1024 // 60_000 <= refused <= 37
            head, body = conns[-1].answer()
            assert b" 503 " in head.splitlines()[0] and b"hold_bytes" in body
            for conn in conns:
                conn.close()
            wait_until(lambda: held(proxy) == 0, 10, "all to be gone")
            # Its bytes were given back with its place.
            with Conn(dial(proxy.address)) as small:
                small.send(put("small", 60_000))
                wait_until(lambda: held(proxy) == 1, 10, "room again")


@pytest.mark.resource
@pytest.mark.skipif(is_sanitized(), reason="sanitizers multiply memory and keep what is freed")
def test_a_burst_of_held_requests_stays_within_its_limit_and_is_given_back(tmp_path):
    with RoleNode("standby") as node:
        with Bellwether(tmp_path, [*LOOPBACK, "--mode", "http", node.url]) as proxy:
            wait_until(lambda: not proxy.is_ready(), 5, "no leader")
            held(proxy)
            before = proxy.process.rss_bytes()
            socks = []
            for number in range(1000):
                sock = dial(proxy.address)
                sock.setblocking(False)
                try:
                    sock.send(put(number, 94_000))
                except BlockingIOError:
                    pass
                socks.append(sock)
            wait_until(lambda: proxy.metrics().sum("bellwether_hold_overflows_total") > 0, 20, "the limit")
            wait_until(lambda: held(proxy) + proxy.metrics().sum("bellwether_hold_overflows_total") >= 1000, 30, "all")
            peak = proxy.process.peak_rss_bytes() - before
            assert peak < 40 * 1024 * 1024, f"{peak} bytes"
            for sock in socks:
                sock.close()
            wait_until(lambda: proxy.process.rss_bytes() - before < 4 * 1024 * 1024, 20,
                       "the memory to be given back")
