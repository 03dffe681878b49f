"""Memory and throughput, on the release build alone: sanitizers multiply both."""

import os
import resource
import socket
import threading
import zlib

import pytest

from house.bellwether import Bellwether, LOOPBACK, is_sanitized
from house.waiting import wait_until

pytestmark = pytest.mark.resource

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
IDLE = 5000


@pytest.fixture(autouse=True)
def release_build_only():
    if is_sanitized():
        pytest.skip("needs the release build")


def raise_descriptor_limit(wanted):
    """For us and whom we start. False where that is not allowed."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(hard, wanted), max(hard, wanted)))
    except (OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        return hard >= wanted
    return True


@pytest.fixture
def before_fake(fake_leader, tmp_path):
    if not raise_descriptor_limit(3 * IDLE):
        pytest.skip(f"this machine allows fewer than {3 * IDLE} open files")
    with Bellwether(tmp_path, [*LOOPBACK, fake_leader], env={"BELLWETHER_MAXCONN": str(IDLE + 100), "BELLWETHER_TIMEOUT_HEADER": "5m"}) as made:
        yield made.wait_ready()


def connect(proxy):
    host, port = proxy.address.rsplit(":", 1)
    return socket.create_connection((host, int(port)), timeout=60)


def test_five_thousand_idle_connections_cost_under_one_and_a_half_kilobytes_each(before_fake):
    connect(before_fake).close()
    wait_until(lambda: before_fake.metrics().sum("bellwether_open_connections") == 0, 10, "no connection")
    before = before_fake.process.rss_bytes()
    clients = []
    try:
        for _ in range(IDLE):
            clients.append(connect(before_fake))
        wait_until(lambda: before_fake.metrics().sum("bellwether_open_connections", side="client") == IDLE, 60,
                   "all connections to be counted")
        each = (before_fake.process.rss_bytes() - before) / IDLE
    finally:
        for client in clients:
            client.close()
    print(f"{each:.0f} bytes of RSS for each idle connection")
    assert each < 1.5 * KIB


def test_idle_http_connections_that_have_asked_for_much_cost_little(sim, tmp_path):
    """What a request needs is given back behind its answer: its buffers too."""
    count = 3000
    if not raise_descriptor_limit(2 * count):
        pytest.skip(f"this machine allows fewer than {2 * count} open files")
    ask = b"GET /v1/sys/health HTTP/1.1\r\nHost: vault\r\nX-Vault-Token: " + 3000 * b"t" + b"\r\n\r\n"
    with Bellwether(tmp_path, [*LOOPBACK, "--mode", "http", *sim.urls]) as proxy:
        proxy.wait_ready()

        def asked():
            client = connect(proxy)
            client.sendall(ask)
            assert client.recv(65536).startswith(b"HTTP/1.1 200")
            return client

        clients = [asked() for _ in range(100)]
        before = proxy.process.rss_bytes()
        clients += [asked() for _ in range(count)]
        each = (proxy.process.rss_bytes() - before) / count
        for client in clients:
            client.close()
    print(f"{each:.0f} bytes of RSS for each idle http connection")
    assert each < 1.2 * KIB


def test_four_gigabytes_both_ways_arrive_unchanged_in_32_mebibytes(before_fake):
    block = bytearray(os.urandom(MIB))
    count = 4 * GIB // MIB
    sums = {"sent": 0, "received": 0}
    peak = 0

    def send(client):
        for number in range(count):
            block[:8] = number.to_bytes(8, "big")
            data = bytes(block) if number else b"ECHO" + bytes(block[4:])
            sums["sent"] = zlib.crc32(data, sums["sent"])
            client.sendall(data)
        client.shutdown(socket.SHUT_WR)

    with connect(before_fake) as client:
        sender = threading.Thread(target=send, args=(client,))
        sender.start()
        buffer = memoryview(bytearray(MIB))
        total, next_look = 0, 0
        while got := client.recv_into(buffer):
            sums["received"] = zlib.crc32(buffer[:got], sums["received"])
            total += got
            if total >= next_look:
                peak = max(peak, before_fake.process.rss_bytes())
                next_look += 64 * MIB
        sender.join()
    print(f"peak RSS {peak / MIB:.1f} MiB")
    assert total == count * MIB
    assert sums["received"] == sums["sent"]
    assert peak < 32 * MIB
