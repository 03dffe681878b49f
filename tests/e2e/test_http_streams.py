"""A gigabyte through http mode, in both framings and directions, whoever is slow: unchanged, and in 32 MiB."""

import json
import pathlib
import socket
import ssl
import sys

import pytest

from house.bellwether import LOOPBACK, Bellwether, is_sanitized
from house.certificates import Certificates
from house.http_node import Conn
from house.processes import Process
from house.stream_node import Pace, crc_of_stream, send_stream, swallow
from house.waiting import wait_until

pytestmark = pytest.mark.resource

MIB, GIB = 1 << 20, 1 << 30
EXPECTED = {"size": GIB, "crc": crc_of_stream(GIB)}
SUPPORT = pathlib.Path(__file__).resolve().parent.parent / "support"


@pytest.fixture
def site(request, tmp_path):
    if is_sanitized():
        pytest.skip("needs the release build")
    words, node_words, scheme, dial = [], [], "http", lambda sock: sock
    if request.param == "tls":
        made = Certificates(tmp_path / "tls")
        pair = node_words = made.issue("both")
        words = ["--tls-cert", pair[0], "--tls-key", pair[1], "--ca-file", made.ca_file, "--server-name", made.common_name]
        context = ssl.create_default_context(cafile=made.ca_file)
        scheme, dial = "https", lambda sock: context.wrap_socket(sock, server_hostname=made.common_name)
    node = Process("stream node", [sys.executable, "-m", "house.stream_node", *node_words], tmp_path / "node.log",
                   cwd=SUPPORT)
    try:
        port = wait_until(lambda: "port " in node.log() and node.log().split()[1], 20, "the node's port")
        with Bellwether(tmp_path, [*LOOPBACK, "--mode", "http", *words, f"{scheme}://127.0.0.1:{port}"]) as proxy:
            proxy.wait_ready()
            host, port = proxy.address.rsplit(":", 1)
            yield proxy, lambda: Conn(dial(socket.create_connection((host, int(port)), timeout=60)))
    finally:
        node.end()


def check_peak(proxy):
    peak = proxy.process.peak_rss_bytes()
    print(f"peak RSS {peak / MIB:.1f} MiB")
    assert peak < 32 * MIB


# With TLS half of them, for a builder's patience.
SHAPES = pytest.mark.parametrize("site,is_chunked,slow", [
    ("plain", False, "giver"), ("plain", True, "giver"), ("plain", False, "taker"), ("plain", True, "taker"),
    ("tls", False, "giver"), ("tls", True, "taker")], indirect=["site"])


@SHAPES
def test_a_gigabyte_goes_up_unchanged(site, is_chunked, slow):
    proxy, dial = site
    start = b"PUT /v1/take%s HTTP/1.1\r\nHost: v\r\n" % (b"?slow=1" if slow == "taker" else b"")
    with dial() as conn:
        send_stream(conn, start, GIB, is_chunked, Pace(slow == "giver"))
        got = json.loads(conn.answer()[1])
    assert got == EXPECTED
    check_peak(proxy)


@SHAPES
def test_a_gigabyte_comes_down_unchanged(site, is_chunked, slow):
    proxy, dial = site
    wishes = (b"&chunked=1" if is_chunked else b"") + (b"&slow=1" if slow == "giver" else b"")
    with dial() as conn:
        conn.send(b"GET /v1/give?size=%d%s HTTP/1.1\r\nHost: v\r\n\r\n" % (GIB, wishes))
        head = conn.head()
        assert head.startswith(b"HTTP/1.1 200 ")
        got = swallow(conn, head, Pace(slow == "taker"))
    assert got == EXPECTED
    check_peak(proxy)
