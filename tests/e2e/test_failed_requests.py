"""What a client is told in place of an answer, how the log and /ambiguous know the request, and plain HTTP on TLS."""

import json
import re
import socket

import pytest

from house.bellwether import LOOPBACK, Bellwether
from house.certificates import Certificates
from house.http_node import Gone
from house.http_site import HttpSite
from house.waiting import wait_until
from house.web import request

PUT = b"PUT /v1/secret/data/very-secret-path HTTP/1.1\r\nHost: v\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"


def taken_and_cut(conn, head):
    """The request is read, and then the connection ends: nobody knows what became of it."""
    conn.body(head)
    conn.reset()
    raise Gone


@pytest.fixture
def site(tmp_path):
    with HttpSite(tmp_path, {"/v1/secret/data/very-secret-path": taken_and_cut}) as made:
        yield made


def test_an_ambiguous_answer_is_explained_logged_and_kept(site, command):
    got, _ = site.ask(PUT)
    head, _, body = got.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 502 ")
    said = json.loads(body)["errors"][0]
    assert said.startswith("Bellwether: the connection to the node ended before it answered. ")
    assert "may or may not have been executed" in said and "before you send it again" in said
    ids = re.findall(r"request id ([0-9a-f]{8}-[0-9]+)", said)
    assert ids == re.findall(r"X-Bellwether-Request-Id: (\S+)", head.decode())
    line = wait_until(lambda: site.proxy.events("request_failed"), 10, "the line")[0]
    assert (line.level, line.fields["id"], line.fields["outcome"]) == ("WARN", ids[0], "ambiguous")
    kept = wait_until(lambda: site.proxy.get("/ambiguous").json()["ambiguous"], 10, "it to be kept")
    assert len(kept) == 1
    assert set(kept[0]) == {"time", "id", "method", "class", "node", "epoch", "status", "why"}
    assert (kept[0]["id"], kept[0]["method"], kept[0]["class"], kept[0]["epoch"]) == (ids[0], "PUT", "data", 1)
    table = command("ambiguous", "--admin", site.proxy.admin.split("//")[1])
    assert table.returncode == 0 and ids[0] in table.stdout
    for text in (site.proxy.log(), site.proxy.get("/ambiguous").text(), table.stdout):
        assert "very-secret-path" not in text


def test_the_last_hundred_are_kept(site):
    for _ in range(103):
        assert site.ask(PUT)[0].startswith(b"HTTP/1.1 502 ")
    kept = wait_until(lambda: len(site.proxy.events("request_failed")) == 103 and site.proxy.get("/ambiguous").json()["ambiguous"],
                      20, "all lines")
    assert len(kept) == 100
    numbers = [int(each["id"].split("-")[1]) for each in kept]
    assert numbers == sorted(numbers, reverse=True)


@pytest.mark.parametrize("mode", ["http", "redirect"])
def test_a_hold_that_ends_in_vain_is_explained_and_logged(tmp_path, mode):
    words = [*LOOPBACK, "--mode", mode, "--hold-timeout-http", "300ms", "http://127.0.0.1:1"]
    with Bellwether(tmp_path, words) as proxy:
        got = request(f"http://{proxy.address}/v1/secret/data/x", "GET")
        assert got.status == 503
        said = got.json()["errors"][0]
        assert said.startswith("Bellwether: it waited for 300ms: no leader: ")
        assert "was not executed: it can be sent again" in said
        line = wait_until(lambda: proxy.events("request_failed"), 10, "the line")[0]
        assert line.fields["outcome"] == "unserved"
        assert line.fields["id"] in said
        assert proxy.get("/ambiguous").json() == {"ambiguous": []}


@pytest.mark.parametrize("data, status, said", [
    (b"GET /v1/x\r\nHost: v\r\n\r\n", 400, "Bellwether: the first line is not"),
    (b"GET /v1/x HTTP/1.1\r\n\r\n", 400, "Bellwether: the Host header is missing"),
    (b"GET /v1/x HTTP/1.1\r\nHost: v\r\nA: " + b"a" * 5000 + b"\r\n\r\n", 431,
     "longer than 4096 bytes (max_head_bytes)"),
    (b"GET /v1/x HTTP/1.1\r\nHost: v\r\n" + b"A: b\r\n" * 20 + b"\r\n", 431, "more than 16 headers (max_headers)")],
    ids=["line", "host", "bytes", "headers"])
def test_what_is_refused_is_told_in_a_sentence_with_the_limit_and_its_option(tmp_path, data, status, said):
    with HttpSite(tmp_path, words=["--max-head-bytes", "4096", "--max-headers", "16"]) as site:
        got, _ = site.ask(data)
        head, _, body = got.partition(b"\r\n\r\n")
        assert int(head.split()[1]) == status
        assert said in json.loads(body)["errors"][0]


def test_a_redirect_listener_keeps_the_same_limits_and_says_so(sim, tmp_path):
    words = [*LOOPBACK, "--mode", "redirect", "--max-head-bytes", "4096", *sim.urls]
    with Bellwether(tmp_path, words) as proxy:
        got = request(f"http://{proxy.address}/v1/x", "GET", headers={"A": "a" * 5000})
        assert got.status == 431
        assert "longer than 4096 bytes (max_head_bytes)" in got.json()["errors"][0]


def test_heads_as_large_as_nodes_take_them_pass_if_the_options_say_so(tmp_path):
    with HttpSite(tmp_path, words=["--max-head-bytes", "1048576", "--max-headers", "400"]) as site:
        data = b"GET /v1/x HTTP/1.1\r\nHost: v\r\nConnection: close\r\n" + b"A: %s\r\n" % (b"a" * 2500) * 390 + b"\r\n"
        assert len(data) > 900_000
        got, _ = site.ask(data)
        assert got.startswith(b"HTTP/1.1 200 "), got[:200]


@pytest.mark.parametrize("mode", ["http", "redirect"])
def test_plain_http_on_a_tls_listener_is_answered_with_a_sentence(sim, tmp_path, mode):
    cert, key = Certificates(tmp_path / "tls").issue("ours")
    with Bellwether(tmp_path, [*LOOPBACK, "--mode", mode, "--tls-cert", cert, "--tls-key", key, *sim.urls]) as proxy:
        host, port = proxy.address.rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=10) as sock:
            sock.sendall(b"GET /v1/sys/health HTTP/1.1\r\nHost: v\r\n\r\n")
            got = b""
            while data := sock.recv(65536):
                got += data
        head, _, body = got.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 400 ")
        assert "write https://" in json.loads(body)["errors"][0]
        assert len(body) == int(re.search(rb"Content-Length: (\d+)", head).group(1))
