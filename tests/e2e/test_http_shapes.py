"""The shapes that HTTP/1.1 allows a conversation: tunnels, expectations, pipelines, old clients, trailers, early answers."""

import re
import shutil
import ssl
import subprocess
import threading
import zlib

import pytest

from house import websocket
from house.fake_leader import answer
from house.http_node import Gone, chunk
from house.http_site import HttpSite

MIB = 1 << 20
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@pytest.fixture(scope="module", params=["plain", "tls"])
def site(request, tmp_path_factory):
    with HttpSite(tmp_path_factory.mktemp(request.param), tls=request.param == "tls") as made:
        yield made


@pytest.fixture(autouse=True)
def forget(site):
    site.whole.clear()
    site.node.seen.clear()
    site.node.answers.clear()


# --- websockets


def upgrade(conn, head):
    key = re.search(rb"\r\nSec-WebSocket-Key: (\S+)\r\n", head).group(1)
    conn.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
              b"Sec-WebSocket-Accept: " + websocket.accept_of(key) + b"\r\n\r\n")


def echo_frames(conn, head):
    """Until the client closes, or says "bye": then it closes itself."""
    upgrade(conn, head)
    while True:
        kind, data, is_masked = websocket.read_frame(conn)
        assert is_masked
        if data == b"bye":
            conn.send(websocket.frame(websocket.CLOSE, b"\x03\xe8", False))
            assert websocket.read_frame(conn) == (websocket.CLOSE, b"\x03\xe8", True)
        else:
            conn.send(websocket.frame(kind, data, False))
        if kind == websocket.CLOSE or data == b"bye":
            conn.finish()
            raise Gone


def handshake(conn, path):
    key = websocket.new_key()
    conn.send(b"GET " + path + b" HTTP/1.1\r\nHost: v\r\nX-Vault-Token: t\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
              b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key + b"\r\n\r\n")
    head = conn.head()
    assert head.startswith(b"HTTP/1.1 101 ")
    assert b"\r\nSec-WebSocket-Accept: " + websocket.accept_of(key) + b"\r\n" in head


@pytest.mark.parametrize("who", ["client", "node"])
def test_a_websocket_echoes_megabytes_and_either_side_closes_it(site, who):
    site.node.answers["/v1/sys/events/subscribe/kv"] = echo_frames
    with site.dial() as conn:
        handshake(conn, b"/v1/sys/events/subscribe/kv?json=true")
        for size in (0, 1, 125, 126, 65535, 65536, MIB, 2 * MIB):
            data = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
            conn.send(websocket.frame(websocket.BINARY, data, True))
            assert websocket.read_frame(conn) == (websocket.BINARY, data, False)
        last = (websocket.CLOSE, b"\x03\xe8") if who == "client" else (websocket.TEXT, b"bye")
        conn.send(websocket.frame(*last, True))
        assert websocket.read_frame(conn) == (websocket.CLOSE, b"\x03\xe8", False)
        if who == "node":
            conn.send(websocket.frame(websocket.CLOSE, b"\x03\xe8", True))
        assert conn.rest() == (b"", True)


def test_an_upgrade_that_the_node_refuses_is_an_answer_like_any(site):
    site.node.answers["/v1/ws"] = lambda conn, _: conn.send(answer(b"no"))
    with site.dial() as conn:
        conn.send(b"GET /v1/ws HTTP/1.1\r\nHost: v\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
                  b"GET /v1/next HTTP/1.1\r\nHost: v\r\n\r\n")
        assert conn.answer()[1] == b"no"
        assert conn.answer()[0].startswith(b"HTTP/1.1 200 ")
    assert site.whole == ["GET /v1/next HTTP/1.1"]


def test_a_wish_for_another_protocol_goes_no_further(site):
    with site.dial() as conn:
        conn.send(b"GET /v1/x HTTP/1.1\r\nHost: v\r\nUpgrade: h2c\r\nHTTP2-Settings: AAAA\r\n"
                  b"Connection: Upgrade, HTTP2-Settings\r\n\r\n")
        assert conn.answer()[0].startswith(b"HTTP/1.1 200 ")
    assert b"h2c" not in site.node.seen[0] and b"HTTP2" not in site.node.seen[0]


# --- 100-continue


def continue_then_sum(conn, head):
    if b"\r\nExpect: 100-continue\r\n" in head:
        conn.send(CONTINUE)
    conn.send(answer(b"%d" % zlib.crc32(conn.body(head))))


def refuse_at_head(status):
    """Without a look at the body, as who does not want it."""
    def refuse(conn, _):
        conn.send(b"HTTP/1.1 " + status + b"\r\nContent-Length: 2\r\n\r\nno")
        conn.rest()
        raise Gone

    return refuse


def curl(site, tmp_path, *words):
    if shutil.which("curl") is None:
        pytest.skip("needs curl")
    body = tmp_path / "body"  # of more than a megabyte: curl expects 100 by itself
    body.write_bytes(bytes(range(256)) * (2 * MIB // 256))
    scheme = "https" if site.client_tls else "http"
    made = subprocess.run(
        ["curl", "-sSvk", "--max-time", "60", "--expect100-timeout", "50", *words,
         f"{scheme}://{site.address[0]}:{site.address[1]}/v1/big", "--data-binary", f"@{body}"],
        capture_output=True, check=False, timeout=90)
    return made.returncode, made.stdout, made.stderr, zlib.crc32(body.read_bytes())


@pytest.mark.parametrize("words", [[], ["-H", "Transfer-Encoding: chunked"]], ids=["length", "chunked"])
def test_curl_waits_for_100_and_sends_two_megabytes(site, tmp_path, words):
    site.node.answers["/v1/big"] = continue_then_sum
    code, out, said, crc = curl(site, tmp_path, *words)
    assert (code, out) == (0, b"%d" % crc), said
    assert said.count(b"< HTTP/1.1 100 Continue") == 1, said
    assert said.count(b"< HTTP/1.1 200 OK") == 1, said


def test_a_node_that_will_not_say_100_gets_the_body_when_the_client_sends_it(site):
    site.node.answers["/v1/x"] = lambda conn, head: conn.send(answer(conn.body(head)))
    with site.dial() as conn:
        conn.send(b"PUT /v1/x HTTP/1.1\r\nHost: v\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        conn.send(b"hello")
        assert conn.answer()[1] == b"hello"


@pytest.mark.parametrize("status", [b"417 Expectation Failed", b"403 Forbidden", b"413 Too Large", b"200 OK"])
def test_an_answer_instead_of_100_reaches_the_client_that_waits(site, status):
    site.node.answers["/v1/x"] = refuse_at_head(status)
    with site.dial() as conn:
        conn.send(b"PUT /v1/x HTTP/1.1\r\nHost: v\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        head, body = conn.answer()
        assert head.startswith(b"HTTP/1.1 " + status) and body == b"no"
        assert b"\r\nConnection: close\r\n" in head
        # It may have been under way: it is not the next request.
        conn.send(b"GET /")
        assert conn.rest() == (b"", True)
    assert len(site.node.seen) == 1


def test_curl_is_told_417_and_that_its_connection_ends(site, tmp_path):
    site.node.answers["/v1/big"] = refuse_at_head(b"417 Expectation Failed")
    code, out, said, _ = curl(site, tmp_path)
    assert (code, out) == (0, b"no"), said
    assert b"< HTTP/1.1 417 Expectation Failed" in said and b"< Connection: close" in said, said


# --- pipelines


def test_fifty_requests_in_one_packet_are_answered_in_order(site):
    sent, expected = b"", []
    for number in range(50):
        line = b"/v1/%d" % number + b"x" * (number * 7 % 300)
        if number % 10 == 3:
            sent += b"HEAD " + line + b" HTTP/1.1\r\nHost: v\r\n\r\n"
        elif number % 10 == 5:
            sent += b"PUT " + line + b" HTTP/1.1\r\nHost: v\r\nContent-Length: 300\r\n\r\n" + b"GET / HTTP/1.1\r\n\r\n".ljust(300)
        elif number % 10 == 7:
            sent += b"POST " + line + b" HTTP/1.1\r\nHost: v\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(b"a" * number) + b"0\r\n\r\n"
        else:
            sent += b"GET " + line + b" HTTP/1.1\r\nHost: v\r\n\r\n"
        expected.append(line)

    def line_of(conn, head):
        method, target = head.split(b" ")[:2]
        conn.body(head)
        size = 1 + (len(target) * 7919) % 90000
        conn.send(b"HTTP/1.1 200 OK\r\nX-Target: " + target + b"\r\nContent-Length: %d\r\n\r\n" % size)
        if method != b"HEAD":
            conn.send(b"b" * size)

    site.node.answers.update({line.decode(): line_of for line in expected})
    with site.dial() as conn:
        conn.send(sent)
        for number, line in enumerate(expected):
            head = conn.head()
            assert b"\r\nX-Target: " + line + b"\r\n" in head
            if number % 10 != 3:
                assert conn.body(head) == b"b" * (1 + (len(line) * 7919) % 90000)
    assert [head.split(b" ")[1] for head in site.node.seen] == expected


# --- old clients


def test_an_http_10_client_is_served_and_the_close_ends_its_answer(site):
    got, in_order = site.ask(b"GET /v1/x HTTP/1.0\r\n\r\n")
    assert in_order and got.startswith(b"HTTP/1.1 200 ") and b"\r\nConnection: close\r\n" in got
    assert b"\r\nHost: " in site.node.seen[0] and site.node.seen[0].startswith(b"GET /v1/x HTTP/1.1\r\n")
    site.node.answers["/v1/chunked"] = lambda conn, _: conn.send(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(b"abc") + chunk(b"def") + b"0\r\n\r\n")
    got, in_order = site.ask(b"GET /v1/chunked HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    assert in_order and got.endswith(b"\r\n\r\nabcdef") and b"chunked" not in got


def test_an_http_10_client_that_asks_for_it_keeps_its_connection(site):
    with site.dial() as conn:
        for number in range(3):
            conn.send(b"PUT /v1/x HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\n%d" % number)
            head, body = conn.answer()
            assert b"\r\nConnection: keep-alive\r\n" in head and body == b"%d" % number


# --- trailers, answers without a body


def test_trailers_end_here_both_ways_and_the_connections_go_on(site):
    site.node.answers["/v1/x"] = lambda conn, head: conn.send(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n" + chunk(conn.body(head)) +
        b"0\r\nX-Sum: 1\r\nContent-Length: 5\r\n\r\n")
    accepted = site.node.accepted
    with site.dial() as conn:
        for number in range(5):
            conn.send(b"PUT /v1/x HTTP/1.1\r\nHost: v\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n" +
                      chunk(b"%d" % number) + b"0\r\nX-T: y\r\nTransfer-Encoding: chunked\r\n\r\n")
            head = conn.head()
            assert conn.take(len(b"1\r\n0\r\n0\r\n\r\n")) == b"1\r\n%d\r\n0\r\n\r\n" % number
            assert b"Trailer" not in head
    assert site.node.accepted - accepted <= 1
    assert all(b"Trailer" not in head for head in site.node.seen)


@pytest.mark.parametrize("status,length,passed_on", [(204, b"", False), (204, b"Content-Length: 0\r\n", False),
                                                     (204, b"Content-Length: 7\r\n", False), (304, b"", False),
                                                     (304, b"Content-Length: 7\r\n", True),
                                                     (304, b"Transfer-Encoding: chunked\r\n", False)])
def test_204_and_304_have_no_body_whatever_they_state(site, status, length, passed_on):
    site.node.answers["/v1/x"] = lambda conn, _: conn.send(b"HTTP/1.1 %d X\r\n" % status + length + b"\r\n")
    with site.dial() as conn:
        for _ in range(3):
            conn.send(b"GET /v1/x HTTP/1.1\r\nHost: v\r\n\r\n")
            head = conn.head()
            assert head.startswith(b"HTTP/1.1 %d " % status)
            assert (b"Content-Length: 7" in head) == passed_on and b"chunked" not in head
        conn.send(b"GET /v1/next HTTP/1.1\r\nHost: v\r\n\r\n")
        assert conn.answer()[0].startswith(b"HTTP/1.1 200 ")


# --- answers before the request's end


def test_an_early_answer_ends_an_upload_that_goes_on(site):
    site.node.answers["/v1/x"] = refuse_at_head(b"413 Too Large")
    with site.dial() as conn:
        conn.send(b"PUT /v1/x HTTP/1.1\r\nHost: v\r\nContent-Length: 1000000000\r\n\r\n")

        def upload():
            try:
                while True:
                    conn.send(b"u" * 65536)
            except (OSError, ssl.SSLError, ValueError):
                pass

        # TLS objects are no friends of two threads: there a part is sent, and no more.
        sender = threading.Thread(target=upload if not site.client_tls else lambda: conn.send(b"u" * 65536))
        sender.start()
        head, body = conn.answer()
        assert head.startswith(b"HTTP/1.1 413 ") and b"\r\nConnection: close\r\n" in head and body == b"no"
        sender.join(20)
        assert not sender.is_alive()


def test_an_answer_may_run_beside_the_upload(site):
    def echo_chunks(conn, head):
        conn.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for piece in conn.pieces(head):
            conn.send(chunk(piece))
        conn.send(b"0\r\n\r\n")

    site.node.answers["/v1/x"] = echo_chunks
    with site.dial() as conn:
        conn.send(b"POST /v1/x HTTP/1.1\r\nHost: v\r\nTransfer-Encoding: chunked\r\n\r\n")
        head = conn.head()
        assert b"\r\nTransfer-Encoding: chunked\r\n" in head
        for number in range(100):
            conn.send(chunk(b"%03d" % number))
            assert conn.take(8) == b"3\r\n%03d\r\n" % number
        conn.send(b"0\r\n\r\n")
        assert conn.take(5) == b"0\r\n\r\n"
        assert conn.rest() == (b"", True)
