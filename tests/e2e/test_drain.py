"""TERM: idle clients are sent away, what runs is finished, and then it ends."""

import re
import threading
import time

import pytest

from house.http_site import HttpSite
from house.waiting import wait_until

PIECE = b"x" * 65536
PIECES = 64
GET = b"GET %s HTTP/1.1\r\nHost: v\r\n\r\n"


class Download:
    """An answer of which the second half waits for `go_on`."""

    def __init__(self, pieces=PIECES):
        self.go_on = threading.Event()
        self._pieces = pieces

    def __call__(self, conn, _):
        conn.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(PIECE) * self._pieces))
        for number in range(self._pieces):
            if number == self._pieces // 2:
                assert self.go_on.wait(60)
            conn.send(PIECE)


def read(conn, count, into):
    while count > 0:
        data = conn.some(count)
        into.append(data)
        count -= len(data)


def test_term_sends_idle_clients_away_and_ends_right_after_the_download(tmp_path):
    download = Download()
    with HttpSite(tmp_path, {"/v1/download": download}, words=["--hard-stop-after", "60s"]) as site:
        idle = [site.dial() for _ in range(20)]
        for conn in idle:
            conn.send(GET % b"/v1/short")
            assert conn.answer()[0].startswith(b"HTTP/1.1 200 ")
        running = site.dial()
        running.send(GET % b"/v1/download")
        head, got = running.head(), []
        read(running, len(PIECE) * PIECES // 2, got)

        site.proxy.process.terminate()
        wait_until(lambda: site.proxy.get("/readyz").status == 503, 10, "not ready while draining")
        fresh_answer, in_order = site.ask(GET % b"/v1/fresh")
        assert in_order and re.search(rb"\r\nConnection: close\r\n", fresh_answer)
        begun = time.monotonic()
        for conn in idle:
            assert conn.rest() == (b"", True)
            conn.close()
        assert time.monotonic() - begun < 10
        wait_until(lambda: site.proxy.metrics().sum("bellwether_open_connections", side="client") == 1, 20, "only one left")
        assert site.proxy.process.is_running()

        download.go_on.set()
        read(running, len(PIECE) * PIECES // 2, got)
        assert re.search(rb"\r\nContent-Length: %d\r\n" % (len(PIECE) * PIECES), head)
        assert b"".join(got) == PIECE * PIECES
        running.close()
        ended = time.monotonic()
        assert site.proxy.process.wait(20) == 0
        assert time.monotonic() - ended < 5, "it had nobody to wait for"


def test_a_client_that_keeps_its_connection_after_the_last_answer_does_not_hold_up_the_end(tmp_path):
    with HttpSite(tmp_path, words=["--hard-stop-after", "60s"]) as site:
        conn = site.dial()
        conn.send(GET % b"/v1/short")
        assert conn.answer()[0].startswith(b"HTTP/1.1 200 ")
        begun = time.monotonic()
        site.proxy.process.terminate()
        assert site.proxy.process.wait(30) == 0
        assert time.monotonic() - begun < 15
        assert "hard_stop_after is over" not in site.proxy.log()
        conn.close()


@pytest.mark.parametrize("mode", ["http", "tcp"])
def test_term_in_the_middle_of_500_transfers_cuts_none(tmp_path, mode):
    count, pieces = 500, 4
    download = Download(pieces)
    with HttpSite(tmp_path, {"/v1/download": download}, mode=mode, words=["--hard-stop-after", "120s"]) as site:
        running = [site.dial() for _ in range(count)]
        got = [[] for _ in running]
        for conn in running:
            conn.send(GET % b"/v1/download")
        for conn, into in zip(running, got):
            assert conn.head().startswith(b"HTTP/1.1 200 ")
            read(conn, len(PIECE) * pieces // 2, into)

        site.proxy.process.terminate()
        wait_until(lambda: site.proxy.get("/readyz").status == 503, 10, "not ready while draining")
        for _ in range(20):  # whoever has not looked at /readyz since
            with site.dial() as fresh:
                fresh.send(GET % b"/v1/fresh")
                assert fresh.answer()[0].startswith(b"HTTP/1.1 200 ")
        assert site.proxy.process.is_running()

        download.go_on.set()
        for conn, into in zip(running, got):
            read(conn, len(PIECE) * pieces // 2, into)
            conn.close()
        ended = time.monotonic()
        assert [b"".join(into) == PIECE * pieces for into in got] == [True] * count
        assert site.proxy.process.wait(60) == 0
        assert time.monotonic() - ended < 20, "it had nobody to wait for"
        assert "hard_stop_after is over" not in site.proxy.log()
