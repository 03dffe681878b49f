"""A log collector that hangs: standard error is a pipe that nobody reads any more."""

import fcntl
import os
import re
import signal
import subprocess

import pytest

from house.bellwether import Metrics, binary
from house.waiting import wait_until
from house.web import connection, request, send

F_SETPIPE_SZ = 1031


class StuckLog:
    """`bellwether run` in http mode, whose log was read up to its start."""

    def __init__(self, urls):
        self._end, write = os.pipe()
        fcntl.fcntl(write, F_SETPIPE_SZ, 4096)
        words = ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--mode", "http", "--log-requests", *urls]
        self.process = subprocess.Popen([binary(), "run", *words], stderr=write, stdin=subprocess.DEVNULL,
                                        env={**os.environ, "BELLWETHER_CONTROL": "off"})
        os.close(write)
        self.text = ""
        self.read_until(r" started ")
        self.clients, self.admin = ("http://" + re.search(rf"address=(\S+) mode={mode}", self.text).group(1)
                                    for mode in ("http", "admin"))

    def read_until(self, pattern):
        while not re.search(pattern, self.text):
            data = os.read(self._end, 1 << 16)
            assert data, self.text
            self.text += data.decode()

    def dropped(self):
        return Metrics(request(self.admin + "/metrics").text()).sum("bellwether_log_dropped_lines_total")

    def fill(self):
        """Requests until lines are lost. All are answered."""
        conn = connection(self.clients, timeout=20)
        while not self.dropped():
            for _ in range(200):
                assert send(conn, "GET", "/v1/sys/health").status == 200
        conn.close()

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(30)
        os.close(self._end)


@pytest.fixture
def stuck(sim):
    made = StuckLog(sim.urls)
    try:
        wait_until(lambda: request(made.admin + "/readyz").status == 200, 30, "a leader")
        yield made
    finally:
        made.end()


def test_requests_are_served_and_sigterm_is_obeyed(stuck):
    stuck.fill()
    stuck.process.send_signal(signal.SIGTERM)
    assert stuck.process.wait(15) == 0


def test_a_second_sigterm_ends_it_amid_a_session(stuck):
    stuck.fill()
    conn = connection(stuck.clients, timeout=20)
    assert send(conn, "GET", "/v1/sys/health").status == 200
    stuck.process.send_signal(signal.SIGTERM)
    wait_until(lambda: request(stuck.admin + "/readyz").status == 503, 10, "the first signal to be heard")
    stuck.process.send_signal(signal.SIGTERM)
    assert stuck.process.wait(15) == 0
    conn.close()


def test_a_collector_that_reads_again_is_told_how_much_it_missed(stuck):
    stuck.fill()
    stuck.read_until(r"WARN  log_lines_dropped lines=\d+")
    told = int(re.search(r"log_lines_dropped lines=(\d+)", stuck.text).group(1))
    assert 0 < told <= stuck.dropped()
