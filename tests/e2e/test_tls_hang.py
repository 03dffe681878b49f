"""Certificate files on a file system that hangs: probes and clients do not wait for it, nor does the end."""

import os
import shutil

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


class Pair:
    """A certificate's files; hang() makes reading the certificate block, as on a server that is gone."""

    def __init__(self, folder, ours):
        self._source = ours.issue("listener")
        self.cert, self.key = folder / "tls.crt", folder / "tls.key"
        self._pipe = folder / "pipe"
        for source, target in zip(self._source, (self.cert, self.key)):
            shutil.copyfile(source, target)

    def hang(self):
        os.mkfifo(self._pipe)
        self.cert.unlink()
        os.link(self._pipe, self.cert)

    def heal(self):
        fresh = self.cert.with_suffix(".new")
        shutil.copyfile(self._source[0], fresh)
        os.replace(fresh, self.cert)
        os.close(os.open(self._pipe, os.O_WRONLY | os.O_NONBLOCK))  # whoever waits to read finds it empty


@pytest.fixture
def pair(tmp_path, ours):
    return Pair(tmp_path, ours)


@pytest.fixture
def words(pair):
    with LeaderServer() as leader:
        yield [*LOOPBACK, "--mode", "http", "--tls-cert", pair.cert, "--tls-key", pair.key, "--inter", "50ms",
               "--tls-reload-interval", "100ms", leader.url]


def probes(proxy):
    return proxy.metrics().sum("bellwether_probes_total")


def hangs(proxy):
    return [line for line in proxy.events("certificates_not_reloaded") if "file system hang" in line.fields["why"]]


def test_while_the_files_hang_clients_and_probes_go_on_and_later_they_are_read(words, pair, ours, tmp_path):
    with Bellwether(tmp_path, words) as proxy:
        proxy.wait_ready()
        pair.hang()
        wait_until(lambda: hangs(proxy), 30, "a word in the log")
        before = probes(proxy)
        wait_until(lambda: probes(proxy) >= before + 20, 30, "twenty probes")
        assert request(f"https://{proxy.address}/v1/a", tls=Tls(ours.ca_file, NAME)).status == 200
        assert len(hangs(proxy)) == 1
        pair.heal()
        wait_until(lambda: proxy.events("certificates_reloaded"), 30, "the new files")


def test_the_end_does_not_wait_for_files_that_hang(words, pair, tmp_path):
    proxy = Bellwether(tmp_path, words)
    try:
        proxy.wait_ready()
        pair.hang()
        wait_until(lambda: hangs(proxy), 30, "a word in the log")
        proxy.process.terminate()
        assert proxy.process.wait(15) == 0
    finally:
        proxy.end()
    proxy.process.expect_no_sanitizer_report()


def test_a_start_with_files_that_hang_says_so_and_ends(words, pair, tmp_path):
    pair.hang()
    proxy = Bellwether(tmp_path, words)
    try:
        assert proxy.process.wait(40) == 1
        assert "could not be read within 10s: does their file system hang?" in proxy.log()
    finally:
        proxy.end()
